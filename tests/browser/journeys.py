"""What a person does at the page, and what they see."""

import re

from playwright.async_api import Page, expect

from tests.eventually import eventually
from tests.stack import Stack

SLOW = "[sandbox:slow]"
STUCK = "[sandbox:stuck]"
END_MS = 60_000

_IN_THE_MIDDLE = re.compile(r"^[1-9]\d?$")


async def open_page(page: Page, stack: Stack) -> None:
    """Open the page and wait until it knows what is on offer."""
    await page.goto(stack.api_url)
    await expect(page.get_by_label("Length")).to_have_value("5")


async def becomes_so(page: Page, expression: str) -> None:
    """Wait until something is so in the page; asked from outside, as the page's policy lets no text become a script."""

    async def ask() -> bool:
        return bool(await page.evaluate(expression))

    await eventually(ask, what=expression)


async def make(page: Page, prompt: str) -> str:
    """Order two seconds of video; return its id, which is in the address by then."""
    await page.get_by_label("Prompt", exact=True).fill(prompt)
    await page.get_by_label("Length").select_option("2")
    return await order(page)


async def order(page: Page) -> str:
    """Send the form as it is; return the id of what it made."""
    await page.get_by_role("button", name="Make the video").click()
    await page.wait_for_url(re.compile(r"#gen_"))
    return page.url.rsplit("#", 1)[1]


async def wait_for_the_middle(page: Page) -> None:
    await expect(page.get_by_role("progressbar")).to_have_attribute(
        "aria-valuenow", _IN_THE_MIDDLE, timeout=END_MS
    )


async def expect_stage(page: Page, words: str) -> None:
    await expect(page.locator("#stage")).to_have_text(words, timeout=END_MS)


async def expect_ready(page: Page) -> None:
    await expect_stage(page, "Your video is ready")


async def orders_of(stack: Stack, prompt: str) -> int:
    answer = await stack.http.get("/v1/generations", params={"limit": 100})
    return sum(generation["request"]["prompt"] == prompt for generation in answer.json()["data"])
