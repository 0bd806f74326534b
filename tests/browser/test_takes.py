"""Takes at the page: replaced, compared, kept, rated, deleted."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.journeys import END_MS, STUCK, becomes_so, expect_ready, expect_stage, make, open_page
from tests.eventually import eventually
from tests.stack import Stack

HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>'


def take(page: Page, number: int) -> Locator:
    return page.locator("#takes li").nth(number - 1)


async def make_two_takes(page: Page, prompt: str) -> str:
    generation_id = await make(page, prompt)
    await expect_ready(page)
    await page.get_by_role("button", name="Regenerate").click()
    await expect(page.get_by_role("button", name="Take 2")).to_have_attribute("aria-pressed", "true")
    await expect_ready(page)
    await expect(page.locator("#video")).to_have_attribute("src", re.compile(r"take=2$"))
    return generation_id


async def test_regenerate_adds_a_take_and_two_are_compared_side_by_side(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    await make_two_takes(page, "A kite over the dunes")
    await page.get_by_role("button", name="Take 1").click()
    await expect(page.locator("video")).to_have_attribute("src", re.compile(r"take=1$"))
    await page.get_by_label("Compare with").select_option("2")
    sources = await page.locator("video").evaluate_all("all => all.map(v => v.src.split('take=')[1])")
    assert sources == ["1", "2"]
    boxes = await page.locator(".frame").evaluate_all(
        "all => all.map(f => f.getBoundingClientRect().toJSON())"
    )
    assert boxes[0]["top"] == boxes[1]["top"]
    assert boxes[0]["right"] < boxes[1]["left"]
    await page.get_by_role("button", name="Play both").click()
    await becomes_so(page, "[...document.querySelectorAll('video')].every(v => v.currentTime > 0.2)")
    await page.get_by_label("Compare with").select_option("no other take")
    await expect(page.locator("video")).to_have_count(1)


async def test_a_running_take_is_replaced_with_another_prompt(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    generation_id = await make(page, f"{STUCK} A train in the rain")
    await stack.reaches(generation_id, "generating")
    await page.get_by_text("Change the prompt for the next take").click()
    await page.get_by_label("Prompt of the next take").fill("A train at dawn")
    await page.get_by_role("button", name="Replace while running").click()
    await expect(page.locator("#live-prompt")).to_have_text("A train at dawn")
    await expect_ready(page)
    await expect(take(page, 1)).to_contain_text("Replaced by take 2.")
    await expect(take(page, 1)).to_contain_text("The provider stopped the job.", timeout=END_MS)
    await expect(take(page, 2)).to_contain_text("Ready.")
    await expect(page.locator("#timeline")).to_contain_text("Take 1 was replaced by take 2.", timeout=END_MS)
    await expect(page.locator("#connection")).to_be_empty()
    assert (await stack.look(generation_id))["status"] == "completed"


async def test_a_replaced_take_says_that_its_cancel_is_on_its_way(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    generation_id = await make(page, f"{STUCK} A slow goodbye")
    await stack.reaches(generation_id, "generating")
    await stack.fault("cancel", "status:503", times=1000)
    try:
        await page.get_by_text("Change the prompt for the next take").click()
        await page.get_by_label("Prompt of the next take").fill("A quick hello")
        await page.get_by_role("button", name="Replace while running").click()
        await expect(take(page, 1)).to_contain_text("Replaced by take 2. The cancel is on its way.")
        await expect(take(page, 2)).to_contain_text("Waiting.")
    finally:
        await stack.fault("cancel", "none")
    await expect(take(page, 1)).to_contain_text("The provider stopped the job.", timeout=END_MS)
    await expect_ready(page)


async def test_a_take_is_kept_and_let_go(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    generation_id = await make(page, "A heron by the pond")
    await expect_ready(page)
    keep = page.locator("#keep")
    for label, pressed in (("Kept", "true"), ("Keep", "false")):
        await keep.click()
        await expect(keep).to_have_text(label)
        await expect(keep).to_have_attribute("aria-pressed", pressed)
        assert (await stack.look(generation_id))["takes"][0]["kept"] is (pressed == "true")
    await expect(page.locator("#timeline")).to_contain_text("Take 1 is one to keep.")


async def test_a_take_is_rated_from_the_keyboard(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    generation_id = await make(page, "A fox under the northern light")
    await expect_ready(page)
    await page.get_by_role("button", name="Save rating").press("Enter")
    await expect(page.locator("#judge-error")).to_have_text("Choose a rating from 1 to 5.")
    await expect(page.get_by_role("radio", name="1")).to_be_focused()
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Tab")
    await page.keyboard.type(HOSTILE)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#judge-note")).to_have_text("Saved.")
    feedback = (await stack.look(generation_id))["takes"][0]["feedback"]
    assert (feedback["rating"], feedback["comment"]) == (4, HOSTILE)
    await page.reload()
    await expect(page.get_by_role("radio", name="4")).to_be_checked()
    await expect(page.get_by_label("Comment")).to_have_value(HOSTILE)


async def test_what_is_typed_about_a_take_survives_news_of_it(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    await make(page, "A windmill in March")
    await expect_ready(page)
    await page.get_by_label("Comment").fill("half a thou")
    await page.locator("#keep").click()
    await expect(page.locator("#keep")).to_have_text("Kept")
    await expect(page.get_by_label("Comment")).to_have_value("half a thou")


async def test_deleting_asks_first_and_then_nothing_is_left(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    generation_id = await make(page, "A secret that must go")
    await expect_ready(page)
    dialog = page.get_by_role("dialog")
    for leave in ("Escape", "Enter"):  # the button that leaves it has the focus
        await page.get_by_role("button", name="Delete…").click()
        await expect(dialog.get_by_role("button", name="Leave it")).to_be_focused()
        await page.keyboard.press(leave)
        await expect(dialog).to_be_hidden()
    assert (await stack.look(generation_id))["status"] == "completed"
    await page.get_by_role("button", name="Delete…").click()
    await dialog.get_by_role("button", name="Delete for good").click()
    await expect(page.get_by_text("The video is deleted.")).to_be_visible()
    await expect(page.locator("#live")).to_be_hidden()
    await expect(page.locator("#recent")).not_to_contain_text("A secret that must go")
    assert (await stack.http.get(f"/v1/generations/{generation_id}")).status_code == 404
    await page.goto(f"{stack.api_url}/#{generation_id}")
    await expect(page.locator("#missing")).to_contain_text("no generation of this id")


async def test_what_another_window_deletes_is_said_to_be_gone(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    generation_id = await make(page, "Gone behind one's back")
    await expect_ready(page)

    async def deleted() -> bool:
        return (await stack.http.delete(f"/v1/generations/{generation_id}")).status_code == 204

    await eventually(deleted, what="it is deleted")
    await page.locator("#keep").click()
    await expect(page.locator("#missing")).to_contain_text("it was deleted")
    await expect(page.locator("#live")).to_be_hidden()


async def test_a_hostile_prompt_is_only_text(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    generation_id = await make(page, HOSTILE)
    await expect_ready(page)
    await expect(page.locator("#live-prompt")).to_have_text(HOSTILE)
    await expect(page.locator("#recent a[aria-current]")).to_contain_text(HOSTILE)
    assert await page.locator("main img[src='x']").count() == 0
    assert (await stack.look(generation_id))["status"] == "completed"


@pytest.mark.parametrize("width", [320, 375])
async def test_nothing_is_wider_than_a_phone(page: Page, stack: Stack, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    await open_page(page, stack)
    await make_two_takes(page, f"{'W' * 60} a very long word, on {width} pixels")
    await page.get_by_label("Compare with").select_option("1")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    tops = await page.locator(".frame").evaluate_all("all => all.map(f => f.getBoundingClientRect().top)")
    assert tops[0] < tops[1]


async def test_a_cancelled_take_says_so_in_the_list(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    generation_id = await make(page, f"{STUCK} A bridge that is never built")
    await stack.reaches(generation_id, "generating")
    await page.get_by_role("button", name="Cancel").click()
    await expect_stage(page, "Cancelled")
    await page.get_by_text("Change the prompt for the next take").click()
    await page.get_by_label("Prompt of the next take").fill("A bridge")
    await page.get_by_role("button", name="Regenerate").click()
    await expect_ready(page)
    await expect(take(page, 1)).to_contain_text("Cancelled. The provider stopped the job.")
