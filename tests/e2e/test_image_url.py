"""From a picture's address to the video that begins with it, through every part."""

from contextlib import AsyncExitStack
from pathlib import Path

from tests.api.elsewhere import elsewhere
from tests.api.pictures import solid
from tests.providers.raw import answers
from tests.stack import Stack


async def test_a_picture_s_address_becomes_a_video_and_another_take_of_it(tmp_path: Path) -> None:
    """The API takes our server for its sandbox, the worker the real one: the only doors on loopback."""
    stack = Stack(tmp_path)
    async with elsewhere() as there, AsyncExitStack() as ends:
        ends.push_async_callback(stack.close)
        await stack.migrate()
        await stack.start_part("temporal")
        await stack.start_part("sandbox")
        await stack.start_part("api", VIDEOPLANET_SANDBOX_URL=there.url)
        await stack.start_part("worker")
        url = there.has("/fox.png", answers(200, solid((200, 90, 20), 640, 400)))
        ordered = await stack.order("A fox wakes up", params={"image_url": url, "duration_seconds": 5})
        done = await stack.end_of(ordered["id"])
        assert done["status"] == "completed", done["error"]
        there.has("/fox.png", answers(404, b""))
        answer = await stack.http.post(f"/v1/generations/{done['id']}/regenerate", json={})
        assert answer.status_code == 202, answer.text
        done = await stack.end_of(ordered["id"])
        assert done["status"] == "completed", done["error"]
        assert [take["request"]["mode"] for take in done["takes"]] == ["image_to_video"] * 2
        assert there.times(url) == 1
