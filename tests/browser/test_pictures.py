"""Models and pictures at the page: what needs one is said, what was chosen is shown, how it was fitted is told."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page, Route, expect

from tests.browser.journeys import becomes_so, expect_ready, open_page, order, orders_of
from tests.stack import Stack


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "<b>sun</b>.png".replace("/", "-")
    Image.linear_gradient("L").resize((640, 400)).convert("RGB").save(file)
    return file


async def options_of(page: Page, label: str) -> list[str]:
    options = page.get_by_label(label).locator("option")
    return [str(one) for one in await options.evaluate_all("all => all.map(o => o.value)")]


async def test_a_model_that_needs_a_picture_says_so_and_the_refusal_is_at_the_picture(
    page: Page, stack: Stack
) -> None:
    await open_page(page, stack)
    await page.get_by_label("Prompt", exact=True).fill("Without a picture")
    await page.get_by_label("Model").select_option("stable-video/svd")
    await expect(page.locator("#model-note")).to_have_text("This model needs a picture to begin with.")
    await expect(page.locator("#prompt-note")).to_contain_text("the prompt is kept, but not sent")
    await expect(page.get_by_label("Length")).to_have_value("4")
    await expect(page.locator("#price")).to_have_text("About $0.20 (not certain), in sandbox money")
    await page.get_by_role("button", name="Make the video").click()
    await expect(page.locator("#picture-error")).not_to_be_empty()
    await expect(page.get_by_label("Picture to begin with")).to_be_focused()
    assert await orders_of(stack, "Without a picture") == 0


async def test_a_picture_becomes_a_video_and_its_fitting_is_told(
    page: Page, stack: Stack, picture: Path
) -> None:
    await open_page(page, stack)
    await page.get_by_label("Prompt", exact=True).fill("The light comes up --fps 3")
    await page.get_by_label("Picture to begin with").set_input_files(picture)
    await expect(page.locator("#picture-facts")).to_contain_text("uploaded")
    await becomes_so(page, "document.querySelector('#picture-preview').naturalWidth === 640")
    await page.get_by_label("Model").select_option("seedance/seedance-1-0-pro-250528")
    await page.get_by_label("Length").select_option("2")
    await expect(page.get_by_label("Shape")).to_have_value("")
    generation_id = await order(page)
    await expect_ready(page)
    adjusted = page.locator("#adjustments li")
    await expect(adjusted).to_contain_text(["takes words behind two hyphens", "The picture is"])
    request = (await stack.look(generation_id))["takes"][0]["request"]
    assert request["mode"] == "image_to_video"


async def test_a_removed_picture_is_not_used(page: Page, stack: Stack, picture: Path) -> None:
    await open_page(page, stack)
    field = page.get_by_label("Picture to begin with")
    await field.set_input_files(picture)
    await expect(page.locator("#picture-facts")).to_contain_text("uploaded")
    await page.get_by_role("button", name="Remove picture").press("Enter")
    await expect(field).to_be_focused()
    await expect(page.locator("#picture-shown")).to_be_hidden()
    await page.get_by_label("Prompt", exact=True).fill("No picture after all")
    await page.get_by_label("Length").select_option("2")
    generation_id = await order(page)
    assert (await stack.look(generation_id))["takes"][0]["request"]["mode"] == "text_to_video"


async def test_what_is_no_picture_is_explained_and_no_video_is_ordered(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "words.png"
    file.write_text("no picture")
    await open_page(page, stack)
    await page.get_by_label("Picture to begin with").set_input_files(file)
    await expect(page.locator("#picture-error")).to_contain_text("JPEG, PNG and WebP")
    await page.get_by_label("Prompt", exact=True).fill("With a broken picture")
    await page.get_by_role("button", name="Make the video").click()
    await expect(page.get_by_label("Picture to begin with")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_role("button", name="Make the video")).to_have_attribute(
        "aria-disabled", "false"
    )
    assert await orders_of(stack, "With a broken picture") == 0


async def test_an_order_waits_for_an_upload_that_has_to_be_repeated(
    page: Page, stack: Stack, picture: Path
) -> None:
    asked = 0

    async def break_the_first(route: Route) -> None:
        nonlocal asked
        asked += 1
        await (route.abort() if asked == 1 else route.continue_())

    await open_page(page, stack)
    await page.route("**/v1/images", break_the_first)
    await page.get_by_label("Prompt", exact=True).fill("Patience")
    await page.get_by_label("Picture to begin with").set_input_files(picture)
    generation_id = await order(page)
    assert asked == 2
    assert (await stack.look(generation_id))["takes"][0]["request"]["params"]["image_id"]


async def test_shapes_and_resolutions_follow_the_model(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    await page.get_by_label("Model").select_option("runway/gen4.5")
    assert await options_of(page, "Shape") == ["16:9", "9:16"]
    assert await options_of(page, "Resolution") == ["", "720p"]
    await page.get_by_label("Model").select_option("seedance/dreamina-seedance-2-0-260128")
    assert await options_of(page, "Shape") == ["16:9", "9:16", "1:1", "4:3", "3:4", "21:9"]
    assert await options_of(page, "Resolution") == ["", "4k", "480p", "720p", "1080p"]
    await page.get_by_label("Shape").select_option("21:9")
    await page.get_by_label("Resolution").select_option("480p")
    await page.get_by_label("Prompt", exact=True).fill("A very wide river")
    generation_id = await order(page)
    params = (await stack.look(generation_id))["takes"][0]["request"]["params"]
    assert params["resolution"] == "992x432"
    cost = (await stack.look(generation_id))["cost"]
    said = await page.locator("#price").text_content()
    price = re.fullmatch(r"About \$(\d+\.\d\d) \(not certain\), in sandbox money", said or "")
    assert price is not None
    assert float(price[1]) == pytest.approx(
        float(cost["reserved_usd"]) + float(cost["settled_usd"]), abs=0.02
    )
