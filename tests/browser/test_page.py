"""The page, as a person uses it: a real Chromium over the real service."""

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.journeys import (
    END_MS,
    SLOW,
    becomes_so,
    expect_ready,
    expect_stage,
    make,
    open_page,
    orders_of,
    wait_for_the_middle,
)
from tests.conftest import MakeStack
from tests.stack import Stack


async def expect_a_playing_video(page: Page, seconds: float) -> None:
    video = page.locator("video")
    await expect(video).to_be_visible(timeout=END_MS)
    await video.evaluate("video => video.play()")
    await becomes_so(page, "document.querySelector('video').currentTime > 0.2")
    facts = await video.evaluate("({readyState, duration, poster}) => ({readyState, duration, poster})")
    assert facts["readyState"] >= 2
    assert facts["duration"] == pytest.approx(seconds, abs=0.2)
    assert "/poster?take=" in facts["poster"]


async def expect_the_whole_story_once(page: Page, stack: Stack, generation_id: str) -> None:
    """The page tells each event once, in order; of progress, only the last."""
    told = [event["message"] for event in await stack.events(generation_id)]
    shown = page.locator("#timeline li span").filter(has_not_text="% done")
    await expect(shown).to_have_text([message for message in told if "% done" not in message])


async def test_a_prompt_becomes_a_video_that_plays(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    await expect(page.get_by_text("Sandbox: no real money", exact=True)).to_be_visible()
    await make(page, f"{SLOW} A red fox runs over fresh snow")
    await wait_for_the_middle(page)
    await expect_ready(page)
    await expect_a_playing_video(page, 2)
    await expect(page.locator("#settled")).to_have_text("$0.24")
    await expect(page.locator("#timeline")).to_contain_text("The generation is completed.")
    await expect(page.locator("#recent a[aria-current] img")).to_be_visible()


async def test_a_reload_in_the_middle_goes_on(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    generation_id = await make(page, f"{SLOW} A lighthouse at dusk")
    await wait_for_the_middle(page)
    await page.reload()
    await wait_for_the_middle(page)
    await expect_ready(page)
    await expect_a_playing_video(page, 2)
    await expect_the_whole_story_once(page, stack, generation_id)


@pytest.mark.parametrize("prompt", ["", "   ", "x" * 1001], ids=["empty", "blank", "too long"])
async def test_a_refused_prompt_is_explained_at_its_field(page: Page, stack: Stack, prompt: str) -> None:
    await open_page(page, stack)
    field = page.get_by_label("Prompt", exact=True)
    await field.fill(prompt)
    await expect(page.locator("#prompt-count")).to_have_text(f"{len(prompt)} / 1000")
    await page.get_by_role("button", name="Make the video").click()
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_be_focused()
    await expect(page.locator("#prompt-error")).not_to_be_empty()
    await expect(page.locator("#live")).to_be_hidden()
    await make(page, "A better one")
    await expect(page.locator("#prompt-error")).to_be_empty()


async def test_lengths_that_no_model_makes_are_not_offered(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    offered = await page.get_by_label("Length").locator("option").evaluate_all("all => all.map(o => o.value)")
    assert offered == [str(seconds) for seconds in range(2, 31)]
    await page.get_by_label("Model").select_option("runway/gen4.5")
    offered = await page.get_by_label("Length").locator("option").evaluate_all("all => all.map(o => o.value)")
    assert offered == [str(seconds) for seconds in range(2, 11)]


async def test_cancel_is_shown_with_its_outcome(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    await make(page, f"{SLOW} A train in the rain")
    await wait_for_the_middle(page)
    await page.get_by_role("button", name="Cancel").click()
    await expect_stage(page, "Cancelled")
    await expect(page.locator("#outcome")).to_contain_text("The provider stopped the job.")
    await expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    await expect(page.get_by_role("button", name="Regenerate")).to_be_visible()


async def test_a_failure_comes_with_advice(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    await make(page, "[sandbox:fail_job=SAFETY.INPUT.TEXT] A forbidden thing")
    await expect_stage(page, "It did not work")
    await expect(page.locator("#failure-advice")).to_contain_text("Change the prompt")


async def test_a_double_click_orders_once(page: Page, stack: Stack) -> None:
    prompt = "Paper boats on a canal"
    await open_page(page, stack)
    await page.get_by_label("Prompt", exact=True).fill(prompt)
    await page.get_by_role("button", name="Make the video").dblclick()
    await expect_ready(page)
    assert await orders_of(stack, prompt) == 1


async def test_an_answer_that_is_lost_and_a_reload_order_once(page: Page, stack: Stack) -> None:
    prompt = "Fireflies in a jar"
    lost = asyncio.Event()

    async def lose(route: Route) -> None:
        if route.request.method != "POST":
            await route.continue_()
            return
        await route.fetch()  # the service gets it, the page never hears of it
        await route.abort()
        lost.set()

    await open_page(page, stack)
    await page.route("**/v1/generations", lose)
    await page.get_by_label("Prompt", exact=True).fill(prompt)
    await page.get_by_role("button", name="Make the video").click()
    await lost.wait()
    await expect(page.locator("#order-note")).to_contain_text("never ordered twice")
    await page.unroute_all(behavior="ignoreErrors")
    await page.reload()
    await expect_ready(page)
    assert await orders_of(stack, prompt) == 1


@pytest.mark.chaos
async def test_the_page_goes_on_by_itself_when_the_api_is_killed(page: Page, make_stack: MakeStack) -> None:
    stack = await make_stack(VIDEOPLANET_SANDBOX_SECONDS="6")
    await open_page(page, stack)
    generation_id = await make(page, "A harbour in the fog")
    await wait_for_the_middle(page)
    await stack.kill("api")
    await expect(page.locator("#connection")).to_contain_text("so will this page", timeout=END_MS)
    await stack.start_part("api")
    await expect_ready(page)
    await expect(page.locator("#connection")).to_be_empty()
    await expect_a_playing_video(page, 2)
    await expect_the_whole_story_once(page, stack, generation_id)


async def test_the_api_pages_work_without_internet(page: Page, stack: Stack) -> None:
    await page.goto(f"{stack.api_url}/docs")
    await expect(page.get_by_text("Order a video", exact=True)).to_be_visible()
