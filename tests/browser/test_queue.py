"""The queue at the page: the place, the reason, the time of the next attempt, and what a cancel would do."""

import re

from playwright.async_api import Page, expect

from tests.api.paused import occupied, paused_account
from tests.browser.journeys import END_MS, STUCK, expect_ready, expect_stage, make, open_page
from tests.stack import Stack


async def test_who_waits_reads_the_place_and_the_reason_as_they_change(page: Page, narrow: Stack) -> None:
    await open_page(page, narrow)
    async with occupied(narrow):
        body = {"prompt": "A kite that waits", "provider": "runway", "fallback_providers": []}
        ordered = (await narrow.http.post("/v1/generations", json=body)).json()
        await page.goto(f"{narrow.api_url}/#{ordered['id']}")
        await expect_stage(page, "Waiting for its turn")
        wait = page.locator("#wait")
        await expect(wait).to_contain_text(
            "Number 1 of 1. The only place at Runway is taken.", timeout=END_MS
        )
        async with paused_account(narrow, reason="a <b>test</b>"):
            await expect(wait).to_contain_text(
                "Runway is paused by the operator: a <b>test</b>.", timeout=END_MS
            )
        await expect(wait).to_contain_text("The only place", timeout=END_MS)
        cancel = page.get_by_role("button", name="Cancel")
        await cancel.hover()
        await expect(page.locator("#cancel-preview")).to_contain_text("it would be stopped and cost nothing")
    await expect_ready(page)
    await expect(wait).to_be_empty()
    await expect(page.locator("#cancel-preview")).to_be_empty()


async def test_what_a_cancel_would_do_is_said_before_it_is_asked_for(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    generation_id = await make(page, f"{STUCK} A tunnel without an end")
    await stack.reaches(generation_id, "generating")
    provider = (await stack.look(generation_id))["provider"]
    cancel = page.get_by_role("button", name="Cancel")
    await cancel.focus()
    said = {"runway": "bills it in full", "seedance": "does not stop a job that runs"}[provider]
    await expect(page.locator("#cancel-preview")).to_contain_text(said)
    await expect(cancel).to_have_accessible_description(re.compile(said))
    await cancel.press("Enter")
    await expect_stage(page, "Cancelled")
    await expect(page.locator("#cancel-preview")).to_be_empty()
