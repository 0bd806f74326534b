"""Pictures by their address: fetched once, kept as an image, and refused where anything about them is not right.

The API's sandbox is a server of ours here: its own door is the only one on loopback that is open.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.pictures.bounds import MAX_FETCHES_OF_A_TENANT, fetches_of
from api.pictures.taking_in import MAX_IMAGE_BYTES
from providers.outgoing.doors import Forbidden
from runtime.settings import Settings
from tests.api.changes import again, cancel
from tests.api.elsewhere import Elsewhere, elsewhere
from tests.api.pictures import KINDS, solid, uploaded
from tests.api.refusals import errors_of, problem_of
from tests.eventually import eventually
from tests.providers.raw import Script, answers, drips, raw_server, says_nothing, sends
from tests.stack import Stack
from tests.storage.pictures import corners, encoded

POINTER = "/params/image_url"
PNG = encoded(corners(), "PNG")


@pytest.fixture(scope="module")
async def there() -> AsyncIterator[Elsewhere]:
    async with elsewhere() as server:
        yield server


@pytest.fixture(scope="module")
async def house(there: Elsewhere, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """An API process that takes another server for its sandbox."""
    settings = {"VIDEOPLANET_SANDBOX_URL": there.url, "VIDEOPLANET_IMAGE_URL_SECONDS": "2"}
    alone = Stack(tmp_path_factory.mktemp("image-urls"), settings)
    try:
        await alone.migrate()
        await alone.start_part("api")
        yield alone
    finally:
        await alone.close()


async def post(house: Stack, url: str, **more: Any) -> httpx.Response:
    body = {"prompt": "A fox", "params": {"image_url": url}, "provider": "runway"}
    return await house.http.post("/v1/generations", json=body, **more)


async def refusal(house: Stack, url: str, code: str) -> dict[str, Any]:
    """What is wrong with a picture; nothing was ordered."""
    before = (await house.http.get("/v1/generations")).json()
    error = errors_of(await post(house, url), code=code)[POINTER]
    assert (await house.http.get("/v1/generations")).json() == before
    return error


@pytest.mark.parametrize("kind", KINDS)
async def test_a_picture_is_fetched_and_becomes_an_image_whatever_its_server_calls_it(
    house: Stack, there: Elsewhere, kind: str
) -> None:
    picture = encoded(corners(640, 400), kind)
    url = there.has(f"/{kind}?size=2", answers(200, picture, {"Content-Type": "text/html"}))
    ordered = await house.order("A fox wakes up", params={"image_url": url, "duration_seconds": 5})
    assert there.times(url) == 1
    assert "image_url" not in ordered["request"]["params"]
    image_id = ordered["request"]["params"]["image_id"]
    [take] = ordered["takes"]
    assert take["request"]["mode"] == "image_to_video"
    assert take["request"]["params"]["image_id"] == image_id
    image = (await house.http.get(f"/v1/images/{image_id}")).json()
    assert (image["width"], image["height"], image["source_type"]) == (640, 400, KINDS[kind])
    assert await uploaded(house, picture) == image_id


async def test_the_next_take_begins_with_the_same_picture_though_it_is_gone_where_it_was(
    house: Stack, there: Elsewhere
) -> None:
    url = there.has("/gone.png", answers(200, solid((10, 1, 1))))
    ordered = await house.order("A fox", params={"image_url": url})
    await cancel(house, ordered)
    there.has("/gone.png", answers(404, b""))
    after = await again(house, ordered, prompt="A hare")
    first, second = (take["request"]["params"]["image_id"] for take in after["takes"])
    assert first == second
    assert there.times(url) == 1


async def test_the_next_take_can_begin_with_a_picture_from_elsewhere(house: Stack, there: Elsewhere) -> None:
    one = there.has("/one.png", answers(200, solid((11, 1, 1))))
    other = there.has("/other.png", answers(200, solid((12, 200, 1))))
    ordered = await house.order("A fox", params={"image_url": one})
    await cancel(house, ordered)
    after = await again(house, ordered, params={"image_url": other})
    first, second = (take["request"]["params"]["image_id"] for take in after["takes"])
    assert first != second
    assert second == await uploaded(house, solid((12, 200, 1)))
    await cancel(house, ordered)
    path = f"/v1/generations/{ordered['id']}/regenerate"
    both = {"params": {"image_url": one, "image_id": first}}
    assert errors_of(await house.http.post(path, json=both))["/params"]["code"] == "two_images"
    inside = {"params": {"image_url": "https://10.0.0.1/"}}
    assert POINTER in errors_of(await house.http.post(path, json=inside), code="image_url_refused")
    for wrong in (5, "fox.png", ["https://example.com/"]):
        assert POINTER in errors_of(await house.http.post(path, json={"params": {"image_url": wrong}}))
    nobody = "/v1/generations/gen_00000000000000000000000000/regenerate"
    problem_of(await house.http.post(nobody, json={"params": {"image_url": one}}), 404, "not_found")
    assert (there.times(one), there.times(other)) == (1, 1)


async def test_a_repeated_key_is_answered_again_without_fetching_again(
    house: Stack, there: Elsewhere
) -> None:
    url = there.has("/once.png", answers(200, solid((13, 1, 1))))
    key = {"Idempotency-Key": "a-picture"}
    first = await post(house, url, headers=key)
    assert first.status_code == 202, first.text
    there.has("/once.png", answers(404, b""))
    second = await post(house, url, headers=key)
    assert (second.status_code, second.json()) == (202, first.json())
    assert second.headers["Idempotency-Replayed"] == "true"
    problem_of(await post(house, url + "?", headers=key), 422, "idempotency_key_reused")
    assert len([path for path in there.asked if path.startswith("/once.png")]) == 1
    # The same for a regenerate.
    await cancel(house, first.json())
    path = f"/v1/generations/{first.json()['id']}/regenerate"
    url = there.has("/twice.png", answers(200, solid((14, 1, 1))))
    replies = [await house.http.post(path, json={"params": {"image_url": url}}, headers=key) for _ in "ab"]
    assert [reply.status_code for reply in replies] == [202, 202]
    assert replies[0].json() == replies[1].json()
    assert there.times(url) == 1


async def test_a_refused_picture_uses_no_key_up(house: Stack, there: Elsewhere) -> None:
    url, key = there.has("/later.png", answers(503, b"")), {"Idempotency-Key": "later"}
    assert POINTER in errors_of(await post(house, url, headers=key), code="image_url_unreachable")
    there.has("/later.png", answers(200, solid((15, 1, 1))))
    assert (await post(house, url, headers=key)).status_code == 202


@pytest.mark.parametrize(
    ("url", "code"),
    [
        *(("https://127.0.0.1/a.png", "not_public"), ("https://[::1]/a.png", "not_public")),
        *(("https://169.254.169.254/latest/meta-data/", "not_public"), ("http://10.0.0.1/", "not_public")),
        *(("https://[::ffff:7f00:1]/", "not_public"), ("https://metadata.google.internal/", "not_public")),
        *(("https://2130706433/", "host"), ("https://0x7f.1/", "host"), ("https://localhost/", "host")),
        *(("http://127.0.0.1:22/", "port"), ("https://example.com:8443/a.png", "port")),
        *(("https://0177.0.0.1/", "not_a_url"), ("https://[fe80::1%25eth0]/", "not_public")),
    ],
)
async def test_an_address_inside_is_refused(house: Stack, url: str, code: str) -> None:
    error = await refusal(house, url, "image_url_refused")
    assert error["code"] == code
    assert error["message"].startswith("The picture's address ")


@pytest.mark.parametrize(
    "onward",
    ["http://127.0.0.1:{port}/", "https://127.0.0.1/", "http://169.254.169.254/", "file:///etc/passwd"],
)
async def test_an_address_that_leads_on_to_one_inside_is_refused(
    house: Stack, there: Elsewhere, onward: str
) -> None:
    async with raw_server(answers(200, PNG)) as inside:
        location = {"Location": onward.format(port=inside.port)}
        await refusal(house, there.has("/onward", answers(302, b"", location)), "image_url_refused")
        await refusal(house, f"{inside.url}/fox.png", "image_url_refused")
    assert inside.connections == 0


async def test_an_address_that_leads_on_and_on_is_refused(house: Stack, there: Elsewhere) -> None:
    url = there.has("/circle", answers(307, b"", {"Location": "/circle"}))
    assert (await refusal(house, url, "image_url_refused"))["code"] == "too_many_redirects"
    assert there.times(url) == 4


async def test_an_address_that_leads_on_to_a_picture_is_followed(house: Stack, there: Elsewhere) -> None:
    there.has("/new.png", answers(200, solid((16, 1, 1))))
    url = there.has("/old.png", answers(301, b"", {"Location": "/new.png"}))
    assert (await post(house, url)).status_code == 202


@pytest.mark.parametrize("status", [201, 204, 206, 302, 304, 401, 403, 404, 410, 429, 500, 503])
async def test_what_the_server_there_answers_instead_is_told(
    house: Stack, there: Elsewhere, status: int
) -> None:
    error = await refusal(house, there.has("/status", answers(status, PNG)), "image_url_unreachable")
    assert error["code"] == f"http_{status}"
    assert str(status) in error["message"]


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (sends(b""), "no_answer"),
        (sends(b"SSH-2.0-OpenSSH_9.9\r\n"), "no_answer"),
        (sends(HEAD + f"Content-Length: {len(PNG)}\r\n\r\n".encode() + PNG[:-9]), "no_answer"),
        (sends(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffff\r\n" + PNG), "no_answer"),
        (drips, "timeout"),
        (says_nothing, "timeout"),
    ],
    ids=["nothing", "another protocol", "cut off", "cut off chunk", "drips", "silent"],
)
async def test_a_picture_that_does_not_arrive_is_told_in_time(
    house: Stack, there: Elsewhere, script: Script, code: str
) -> None:
    async with asyncio.timeout(10):
        error = await refusal(house, there.has("/never", script), "image_url_unreachable")
    assert error["code"] == code
    assert "OpenSSH" not in error["message"], "what an inner service says is not for who may not ask it"


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A PNG that has no end."""
    writer.write(HEAD + b"\r\n" + PNG[:33])
    while not writer.is_closing():
        writer.write(bytes(1 << 20))
        await writer.drain()


async def endless_text(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A text that has no end: nobody has to read so much to see that it is no picture."""
    writer.write(HEAD + b"\r\n")
    while not writer.is_closing():
        writer.write(b"text" * 65536)
        await writer.drain()


TOO_LONG = sends(HEAD + f"Content-Length: {MAX_IMAGE_BYTES + 1}\r\n\r\n".encode() + PNG)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (answers(200, b"<html>", {"Content-Type": "image/png"}), "not_a_picture"),
        (
            answers(200, b"<!doctype html><title>no picture</title>", {"Content-Type": "image/png"}),
            "not_a_picture",
        ),
        (answers(200, b""), "not_a_picture"),
        (answers(200, encoded(corners(), "GIF")), "not_a_picture"),
        (answers(200, b"RIFF\0\0\0\0WAVEfmt "), "not_a_picture"),
        (answers(200, PNG[: len(PNG) // 2]), "picture_damaged"),
        (answers(200, PNG[:8]), "picture_damaged"),
        (answers(200, encoded(corners(64, 64), "PNG")), "picture_too_small"),
        (answers(200, encoded(corners(8193, 200), "PNG")), "picture_too_large"),
        (TOO_LONG, "picture_too_large"),
        (endless, "picture_too_large"),
        (endless_text, "not_a_picture"),
    ],
)
async def test_what_is_no_picture_to_begin_with_is_refused_with_the_reason(
    house: Stack, there: Elsewhere, script: Script, code: str
) -> None:
    error = await refusal(house, there.has("/no-picture", script), "unusable_image")
    assert error["code"] == code


async def test_pictures_that_drip_leave_places_for_others_to_the_next_second(
    house: Stack, there: Elsewhere
) -> None:
    slow, quick = there.has("/slow", drips), there.has("/quick.png", answers(200, solid((17, 1, 1))))
    dripping = [asyncio.create_task(post(house, slow)) for _ in range(MAX_FETCHES_OF_A_TENANT)]

    async def all_drip() -> bool:
        return there.times(slow) == MAX_FETCHES_OF_A_TENANT

    await eventually(all_drip, what="all of them drip")
    refused = await post(house, quick)
    problem_of(refused, 503, "unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    assert (await house.http.get("/healthz")).status_code == 200
    for answer in await asyncio.gather(*dripping):
        assert POINTER in errors_of(answer, code="image_url_unreachable")
    assert (await post(house, quick)).status_code == 202


@pytest.mark.parametrize("mode", ["sandbox", "live"])
async def test_the_sandbox_s_door_is_open_in_sandbox_mode_only(mode: str) -> None:
    async with elsewhere() as server:
        url = server.has("/fox.png", answers(200, PNG))
        settings = Settings.model_validate({"mode": mode, "sandbox_url": server.url})
        fetches = fetches_of(settings)
        if mode == "live":
            with pytest.raises(Forbidden, match="https"):
                async with fetches.outgoing.get(url, fetches.patience):
                    pass
        else:
            async with fetches.outgoing.get(url, fetches.patience) as answer:
                assert answer.status_code == 200
        assert server.times(url) == (mode == "sandbox")
