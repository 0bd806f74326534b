"""Videos that begin with a picture: every provider makes them, and the picture stays as long as it is needed."""

from typing import Any

import pytest

from tests.api.changes import again, cancel
from tests.api.pictures import solid, uploaded
from tests.api.refusals import errors_of, problem_of
from tests.stack import Stack

PROVIDERS = {"runway": 5, "seedance": 5, "stable-video": 4}


async def refusal(stack: Stack, **order: Any) -> dict[str, dict[str, Any]]:
    answer = await stack.http.post("/v1/generations", json={"prompt": "A fox", **order})
    return errors_of(answer)


@pytest.mark.parametrize(("provider", "seconds"), PROVIDERS.items())
async def test_every_provider_makes_a_video_that_begins_with_a_picture(
    stack: Stack, provider: str, seconds: int
) -> None:
    image_id = await uploaded(stack, solid((200, 90, 20), 640, 400))
    params = {"image_id": image_id, "duration_seconds": seconds}
    ordered = await stack.order("A fox wakes up", provider=provider, params=params)
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    [take] = done["takes"]
    assert take["request"]["mode"] == "image_to_video"
    assert take["request"]["params"]["image_id"] == image_id
    assert done["request"]["params"]["image_id"] == image_id
    assert take["attempts"][0]["provider"] == provider
    assert take["video"]["duration_seconds"] == pytest.approx(seconds, abs=0.5)
    fitted = {one["pointer"]: one for one in take["adjustments"]}["/params/image_id"]
    assert fitted["code"] == "picture_fitted"
    assert "640x400" in fitted["message"]
    [told] = [event for event in await stack.events(done["id"]) if event["type"] == "take.completed"]
    assert told["data"]["adjustments"] == take["adjustments"]
    assert done["cost"]["reserved_usd"] == "0.00"


async def test_a_picture_of_exactly_the_size_is_not_adjusted(api: Stack) -> None:
    image_id = await uploaded(api, solid((1, 1, 1), 1280, 720))
    ordered = await api.order("A fox", params={"image_id": image_id})
    assert ordered["takes"][0]["adjustments"] == []


async def test_the_size_follows_the_picture_unless_it_is_asked_for(api: Stack) -> None:
    image_id = await uploaded(api, solid((2, 1, 1), 400, 700))
    free = await api.order("A fox", params={"image_id": image_id})
    fixed = await api.order("A fox", params={"image_id": image_id, "aspect_ratio": "16:9"})
    sizes = [one["takes"][0]["request"]["params"]["resolution"] for one in (free, fixed)]
    assert sizes == ["720x1280", "1280x720"]


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize("provider", ["auto", *PROVIDERS])
@pytest.mark.parametrize("unknown", ["img_0", "img_" + "0" * 32, "../../etc/passwd", "'; --", "gen4.5"])
async def test_a_picture_that_is_not_there_is_refused(api: Stack, provider: str, unknown: str) -> None:
    error = (await refusal(api, provider=provider, params={"image_id": unknown}))["/params/image_id"]
    assert error["code"] == "unknown_image"
    assert "POST /v1/images" in error["message"]


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize("order", [{"provider": "stable-video"}, {"model": "gen4_turbo"}, {"model": "svd"}])
async def test_a_model_that_needs_a_picture_says_so_and_who_does_not(
    api: Stack, order: dict[str, str]
) -> None:
    error = (await refusal(api, **order))["/params/image_id"]
    assert error["code"] == "image_required"
    assert error["served_by"] == ["runway", "seedance"]
    assert "POST /v1/images" in error["message"]


async def test_a_model_alone_finds_its_provider(api: Stack) -> None:
    image_id = await uploaded(api, solid((3, 1, 1)))
    ordered = await api.order("A fox", provider="auto", model="svd", params={"image_id": image_id})
    assert (ordered["provider"], ordered["model"]) == ("stable-video", "svd")


async def test_a_picture_is_not_deleted_while_a_generation_needs_it(api: Stack) -> None:
    image_id = await uploaded(api, solid((4, 1, 1)))
    first = await api.order("A fox", params={"image_id": image_id})
    second = await api.order("A hare", params={"image_id": image_id})
    path = f"/v1/images/{image_id}"
    problem_of(await api.http.delete(path), 409, "image_in_use")
    await cancel(api, first)
    problem_of(await api.http.delete(path), 409, "image_in_use")
    assert (await api.http.get(f"{path}/file")).status_code == 200
    await cancel(api, second)
    assert (await api.http.delete(path)).status_code == 204
    assert (await refusal(api, params={"image_id": image_id}))["/params/image_id"]["code"] == "unknown_image"


async def test_after_its_picture_is_deleted_a_generation_is_still_shown_but_not_made_again(
    api: Stack,
) -> None:
    image_id = await uploaded(api, solid((5, 1, 1)))
    ordered = await cancel(api, await api.order("A fox", params={"image_id": image_id}))
    assert (await api.http.delete(f"/v1/images/{image_id}")).status_code == 204
    assert await api.look(ordered["id"]) == ordered
    answer = await api.http.post(f"/v1/generations/{ordered['id']}/regenerate", json={})
    assert errors_of(answer)["/params/image_id"]["code"] == "unknown_image"
    without = await again(api, ordered, params={"image_id": None})
    assert without["takes"][1]["request"]["mode"] == "text_to_video"


async def test_a_regenerate_keeps_the_picture_and_can_change_it(api: Stack) -> None:
    one, other = await uploaded(api, solid((6, 1, 1))), await uploaded(api, solid((7, 1, 1)))
    ordered = await cancel(api, await api.order("A fox", params={"image_id": one}))
    kept = await again(api, ordered)
    assert kept["takes"][1]["request"]["params"]["image_id"] == one
    await cancel(api, ordered)
    changed = await again(api, ordered, params={"image_id": other})
    assert changed["takes"][2]["request"]["params"]["image_id"] == other
    problem_of(await api.http.delete(f"/v1/images/{other}"), 409, "image_in_use")
    assert (await api.http.delete(f"/v1/images/{one}")).status_code == 204


async def test_a_poster_that_is_the_same_file_outlives_a_deleted_picture(
    stack: Stack, finished: dict[str, Any]
) -> None:
    """A poster is uploaded as a picture; its re-encoded file is another, and the poster stays."""
    poster = await stack.http.get(finished["takes"][0]["video"]["poster_url"])
    image_id = await uploaded(stack, poster.content)
    assert (await stack.http.delete(f"/v1/images/{image_id}")).status_code == 204
    again_ = await stack.http.get(finished["takes"][0]["video"]["poster_url"])
    assert again_.content == poster.content
