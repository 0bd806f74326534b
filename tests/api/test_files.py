"""Videos and posters: whole, in ranges, and not at all where the reader has them already."""

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.refusals import problem_of
from tests.stack import Stack

KINDS = [("video", "video/mp4", b"ftyp"), ("poster", "image/jpeg", b"\xff\xd8")]


async def fetch(
    stack: Stack, finished: dict[str, Any], kind: str = "video", **headers: str
) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await stack.http.get(f"/v1/generations/{finished['id']}/{kind}", headers=sent)


@pytest.mark.parametrize(("kind", "media_type", "magic"), KINDS)
async def test_a_file_is_whole_and_says_what_it_is(
    stack: Stack, finished: dict[str, Any], kind: str, media_type: str, magic: bytes
) -> None:
    answer = await fetch(stack, finished, kind)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert magic in answer.content[:8]
    assert answer.headers["accept-ranges"] == "bytes"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["content-disposition"].startswith("inline")


async def test_the_etag_of_a_video_is_its_hash(stack: Stack, finished: dict[str, Any]) -> None:
    video = finished["takes"][0]["video"]
    answer = await fetch(stack, finished)
    assert answer.headers["etag"] == f'"{video["sha256"]}"'
    assert len(answer.content) == video["size_bytes"]


@pytest.mark.parametrize("kind", ["video", "poster"])
async def test_head_says_the_same_without_the_file(stack: Stack, finished: dict[str, Any], kind: str) -> None:
    got = await fetch(stack, finished, kind)
    head = await stack.http.head(f"/v1/generations/{finished['id']}/{kind}")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "accept-ranges", "cache-control"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("kind", ["video", "poster"])
async def test_a_reader_that_has_the_file_is_told_so(
    stack: Stack, finished: dict[str, Any], kind: str
) -> None:
    etag = (await fetch(stack, finished, kind)).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await fetch(stack, finished, kind, if_none_match=known)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
    assert (await fetch(stack, finished, kind, if_none_match='"other"')).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=0-99", slice(0, 100)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-100", slice(-100, None)),
        ("bytes=-999999999", slice(None)),
        ("bytes=5-999999999", slice(5, None)),
        ("Bytes=1-2", slice(1, 3)),
    ],
)
async def test_a_range_is_exactly_that_part(
    stack: Stack, finished: dict[str, Any], wanted: str, part: slice
) -> None:
    whole = (await fetch(stack, finished)).content
    answer = await fetch(stack, finished, range=wanted)
    assert answer.status_code == 206
    assert answer.content == whole[part]
    first = len(whole[: part.indices(len(whole))[0]])
    last = first + len(answer.content) - 1
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
    assert answer.headers["content-length"] == str(len(answer.content))


async def test_a_player_that_seeks_gets_the_same_file_piece_by_piece(
    stack: Stack, finished: dict[str, Any]
) -> None:
    whole = (await fetch(stack, finished)).content
    step = len(whole) // 7 + 1
    pieces = [
        (await fetch(stack, finished, range=f"bytes={at}-{at + step - 1}")).content
        for at in range(0, len(whole), step)
    ]
    assert b"".join(pieces) == whole


@pytest.mark.parametrize("wanted", ["bytes=999999999-", "bytes=999999999-9999999999", "bytes=-0"])
async def test_a_range_beyond_the_end_is_416_with_the_size(
    stack: Stack, finished: dict[str, Any], wanted: str
) -> None:
    answer = await fetch(stack, finished, range=wanted)
    problem_of(answer, 416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{finished['takes'][0]['video']['size_bytes']}"


@pytest.mark.parametrize("wanted", ["", "bytes", "bytes=", "bytes=a-b", "bytes=5-2", "lines=1-2"])
async def test_a_range_that_makes_no_sense_is_ignored(
    stack: Stack, finished: dict[str, Any], wanted: str
) -> None:
    assert (await fetch(stack, finished, range=wanted)).status_code == 200


async def test_a_range_of_another_file_is_the_whole_file(stack: Stack, finished: dict[str, Any]) -> None:
    etag = (await fetch(stack, finished)).headers["etag"]
    assert (await fetch(stack, finished, range="bytes=0-9", if_range=etag)).status_code == 206
    assert (await fetch(stack, finished, range="bytes=0-9", if_range='"other"')).status_code == 200


@settings(
    deadline=None, database=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.from_regex(r"(bytes=)?[0-9,= -]{0,20}", fullmatch=True))
async def test_any_range_is_answered(stack: Stack, finished: dict[str, Any], wanted: str) -> None:
    answer = await fetch(stack, finished, "poster", range=wanted.strip())
    assert answer.status_code in {200, 206, 416}


async def test_a_numbered_take_can_be_kept_for_ever(stack: Stack, finished: dict[str, Any]) -> None:
    video = finished["takes"][0]["video"]
    for url in (video["url"], video["poster_url"]):
        assert url.endswith("?take=1")
        answer = await stack.http.get(url)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


async def test_a_take_that_does_not_exist_is_404(stack: Stack, finished: dict[str, Any]) -> None:
    answer = await stack.http.get(f"/v1/generations/{finished['id']}/video?take=2")
    assert "no take 2" in problem_of(answer, 404, "not_found")["detail"]


async def test_each_take_keeps_its_own_video(stack: Stack) -> None:
    first = await stack.end_of((await stack.order("A fox"))["id"])
    path = f"/v1/generations/{first['id']}"
    await stack.http.post(f"{path}/regenerate", json={"prompt": "A hare"})
    problem_of(await stack.http.get(f"{path}/video"), 404, "no_video")
    assert (await stack.http.get(f"{path}/video?take=1")).status_code == 200
    second = await stack.end_of(first["id"])
    one, two = (take["video"]["sha256"] for take in second["takes"])
    assert one != two
    assert (await stack.http.get(f"{path}/video?take=1")).headers["etag"] == f'"{one}"'
    assert (await stack.http.get(f"{path}/video")).headers["etag"] == f'"{two}"'


@pytest.mark.parametrize("kind", ["video", "poster"])
async def test_what_is_not_made_yet_is_404_and_says_so(
    api: Stack, standing: dict[str, Any], kind: str
) -> None:
    answer = await api.http.get(f"/v1/generations/{standing['id']}/{kind}")
    assert "pending" in problem_of(answer, 404, "no_video")["detail"]
    assert standing["links"][kind] is None
