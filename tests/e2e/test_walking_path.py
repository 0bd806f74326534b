"""One prompt becomes one stored video."""

import httpx
import pytest

from tests.stack import Stack


@pytest.mark.smoke
async def test_a_prompt_becomes_a_stored_video_that_plays(stack: Stack) -> None:
    ordered = await stack.order("A red fox runs over fresh snow")
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    video = done["takes"][0]["video"]
    assert video["duration_seconds"] == pytest.approx(2, abs=0.2)
    assert (video["width"], video["height"]) == (1280, 720)
    fetched = await stack.http.get(video["url"])
    assert fetched.status_code == httpx.codes.OK
    assert fetched.headers["content-type"] == "video/mp4"
    assert len(fetched.content) == video["size_bytes"]
    assert fetched.content[4:8] == b"ftyp"
    poster = await stack.http.get(video["poster_url"])
    assert poster.content[:2] == b"\xff\xd8"
    assert [job["state"] for job in await stack.jobs(ordered["id"])] == ["succeeded"]
