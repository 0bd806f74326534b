"""The policy that keeps foreign scripts out keeps none of ours from working: a real Chromium complains of nothing."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.journeys import END_MS, becomes_so, expect_ready, make, open_page
from tests.stack import Stack

_ELSEWHERE = "https://cdn.redoc.ly/redoc/logo-mini.svg"


@pytest.fixture
async def strict_page(browser: Browser) -> AsyncIterator[Page]:
    """A page in which every complaint of the browser is an error, but for the one picture that ReDoc has elsewhere."""
    complaints: list[str] = []
    context = await browser.new_context()
    page = await context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    await context.close()
    assert not [said for said in complaints if _ELSEWHERE not in said]


async def test_the_page_works_without_a_complaint(strict_page: Page, stack: Stack) -> None:
    await open_page(strict_page, stack)
    await make(strict_page, "A red fox under a strict policy")
    await expect_ready(strict_page)
    await strict_page.locator("video").evaluate("video => video.play()")
    await becomes_so(strict_page, "document.querySelector('video').currentTime > 0.2")


async def test_the_description_of_the_api_draws_itself(strict_page: Page, stack: Stack) -> None:
    await strict_page.goto(f"{stack.api_url}/docs")
    await expect(strict_page.locator(".opblock").first).to_be_visible(timeout=END_MS)
    await strict_page.goto(f"{stack.api_url}/redoc")
    await expect(strict_page.locator("h1").first).to_contain_text("VideoPlanet", timeout=END_MS)


async def test_a_video_that_is_opened_by_itself_plays(strict_page: Page, stack: Stack) -> None:
    done = await stack.end_of((await stack.order())["id"])
    await strict_page.goto(f"{stack.api_url}/v1/generations/{done['id']}/video")
    await becomes_so(strict_page, "document.querySelector('video').readyState >= 2")


async def test_what_somebody_slips_into_the_page_does_not_run(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    ran = await page.evaluate("""async () => {
        const refused = [];
        const attempt = (name, what) => { try { what(); } catch { refused.push(name); } };
        const script = document.createElement("script");
        const image = document.createElement("img");
        const failed = new Promise((done) => image.addEventListener("error", () => setTimeout(done, 50)));
        attempt("text", () => { script.text = "window.slippedIn = true"; });
        attempt("handler", () => image.setAttribute("onerror", "window.slippedIn = true"));
        attempt("markup", () => { document.body.innerHTML = "<p>mine</p>"; });
        script.append(document.createTextNode("window.slippedIn = true"));
        document.body.append(script, image);
        image.src = "/static/there-is-none.png";
        await failed;
        return { refused, slippedIn: window.slippedIn ?? false };
    }""")
    assert ran == {"refused": ["text", "handler", "markup"], "slippedIn": False}
