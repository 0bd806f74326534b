"""Fetching an output: all of it, or a failure that says whether the connection or the file was bad."""

import pytest

from domain.attempts.failures import Category, Failure
from providers.base import ProviderError
from providers.outgoing.doors import Doors, Origin
from providers.outgoing.downloads import download
from providers.outgoing.fetching import Outgoing, Patience
from tests.providers.raw import Script, answers, raw_server, says_nothing, sends

QUICK = Patience(connect=1, silence=0.3, total=5)


def door_of(url: str) -> Outgoing:
    """The way to what an account's own door and the public internet have."""
    return Outgoing(Doors(own=frozenset({Origin.of(url)})))


async def fetched(url: str, door: str | None = None) -> bytes:
    way = Outgoing(Doors(allows_http=True)) if door is None else door_of(door)
    async with download(way, url, patience=QUICK) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def failure_at(script: Script) -> Failure:
    async with raw_server(script) as server:
        with pytest.raises(ProviderError) as raised:
            await fetched(server.url, server.url)
    return raised.value.failure


async def test_a_file_arrives_whole_and_no_key_is_sent_for_it() -> None:
    content = bytes(range(256)) * 20_000
    async with raw_server(answers(200, content)) as server:
        assert await fetched(f"{server.url}/video.mp4?token=1", server.url) == content
    assert server.head.startswith("GET /video.mp4?token=1 HTTP/1.1\r\n")
    assert "authorization" not in server.head.lower()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_a_host_in_trouble_says_nothing_about_the_file_and_is_asked_again(status: int) -> None:
    failure = await failure_at(answers(status, b"", {}))
    assert (failure.category, failure.code) == (Category.SERVER_ERROR, f"output_http_{status}")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com:x/",
        "ftp://example.com/video.mp4",
        "video.mp4",
        "http://",
        "http://127.0.0.1:99999/",
        "",
    ],
)
async def test_an_address_that_is_none_is_a_bad_output(url: str) -> None:
    with pytest.raises(ProviderError) as raised:
        await fetched(url)
    assert raised.value.failure.category is Category.BAD_OUTPUT


async def test_the_headers_of_the_providers_own_door_go_along() -> None:
    key = {"Authorization": "Bearer secret"}
    script = answers(200, b"film")
    async with raw_server(script) as server, download(door_of(server.url), server.url, key) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == b"film"
    assert "authorization: bearer secret" in server.head.lower()


@pytest.mark.parametrize("status", [204, 300, 302, 304, 403, 404, 410])
async def test_an_answer_that_is_no_file_is_a_bad_output(status: int) -> None:
    failure = await failure_at(answers(status, b""))
    assert (failure.category, failure.code) == (Category.BAD_OUTPUT, f"output_http_{status}")


@pytest.mark.parametrize(
    "script",
    [
        sends(b""),
        sends(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nonly half"),
        sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nonly half"),
        says_nothing,
    ],
)
async def test_a_connection_that_breaks_is_never_taken_for_the_end_of_the_file(script: Script) -> None:
    assert (await failure_at(script)).category is Category.NETWORK


async def test_what_the_receiver_raises_is_passed_on() -> None:
    async def fails(url: str) -> None:
        async with download(door_of(url), url):
            raise ZeroDivisionError

    async with raw_server(answers(200, b"x" * 1000)) as server:
        with pytest.raises(ZeroDivisionError):
            await fails(server.url)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://127.0.0.1:{port}/video.mp4",
            "http://localhost:{port}/",
            "http://[::1]/",
            "https://10.0.0.1/",
        ),
        *(
            "http://169.254.169.254/latest/meta-data/",
            "https://2130706433/",
            "https://metadata.google.internal/",
        ),
    ],
)
async def test_a_provider_s_word_opens_no_door_inside(url: str) -> None:
    async with raw_server(answers(200, b"secrets")) as inside:
        with pytest.raises(ProviderError) as raised:
            await fetched(url.format(port=inside.port))
    failure = raised.value.failure
    assert (failure.category, failure.code) == (Category.BAD_OUTPUT, "output_refused")
    assert failure.detail.startswith("The provider's address of the video ")
    assert inside.connections == 0


async def test_an_output_is_followed_where_it_was_moved_but_never_inside() -> None:
    async with raw_server(answers(200, b"secrets")) as inside:
        moved = answers(302, b"", {"Location": f"{inside.url}/video.mp4"})
        failure = await failure_at(moved)
        assert (failure.category, failure.code) == (Category.BAD_OUTPUT, "output_refused")
        assert inside.connections == 0
    async with raw_server(answers(404, b"")) as server:
        moved = answers(302, b"", {"Location": f"{server.url}/video.mp4"})
        async with raw_server(moved) as before:
            doors = Doors(own=frozenset({Origin.of(server.url), Origin.of(before.url)}))
            with pytest.raises(ProviderError, match="404"):
                async with download(Outgoing(doors), before.url):
                    pass
