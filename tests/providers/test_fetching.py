"""Fetching from where somebody else says: how far a redirect is followed, how long one waits, and what goes along."""

import asyncio
import gzip
from collections.abc import Sequence

import httpx
import pytest

from providers.outgoing.doors import Doors, Forbidden, Origin
from providers.outgoing.fetching import Outgoing, Patience
from providers.outgoing.http import USER_AGENT
from tests.eventually import eventually
from tests.outside import HERE, THERE
from tests.providers.internet import OPEN, QUICK, STRICT, World, within
from tests.providers.raw import answers, babbles, drips, raw_server, says_nothing


async def test_a_redirect_to_loopback_is_refused(world: World) -> None:
    await world.server("pictures.example", answers(302, b"", {"Location": "https://127.0.0.1/"}))
    world.know({"pictures.example": [[HERE]]})
    assert await world.refusal("https://pictures.example/") == "not_public"
    assert world.outside.connected == [(HERE, 443)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_a_name_that_leads_to_the_metadata_of_a_cloud_is_refused(
    world: World, status: int
) -> None:
    await world.server("pictures.example", answers(status, b"", {"Location": "https://cloud.example/latest"}))
    world.know({"pictures.example": [[HERE]], "cloud.example": [["169.254.169.254"]]})
    assert await world.refusal("https://pictures.example/") == "not_public"
    assert world.outside.connected == [(HERE, 443)]


async def test_a_name_that_changes_its_mind_at_a_redirect_to_itself_is_judged_anew(world: World) -> None:
    await world.server("pictures.example", answers(302, b"", {"Location": "/again"}))
    world.know({"pictures.example": [[HERE], ["10.0.0.1"]]})
    assert await world.refusal("https://pictures.example/") == "not_public"
    assert world.outside.connected == [(HERE, 443)]


async def test_from_https_nothing_leads_on_to_http(world: World) -> None:
    await world.server("pictures.example", answers(302, b"", {"Location": "http://plain.example/"}))
    plain = await world.plain_server(answers(200, b"a fox"), at=THERE)
    world.know({"pictures.example": [[HERE]], "plain.example": [[THERE]]})
    for doors in (STRICT, OPEN):
        assert await world.refusal("https://pictures.example/", doors) == "not_https"
    assert plain.connections == 0
    assert await world.fetch("http://plain.example/", OPEN) == b"a fox"


async def test_a_few_redirects_are_followed_and_no_more(world: World) -> None:
    hops = 0

    async def leads_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal hops
        hops += 1
        left = answers(302, b"", {"Location": f"/{hops}"}) if hops != 4 else answers(200, b"a fox")
        await left(reader, writer)

    await world.server("pictures.example", leads_on)
    world.know({"pictures.example": [[HERE]]})
    assert await world.fetch("https://pictures.example/") == b"a fox"
    assert await world.refusal("https://pictures.example/") == "too_many_redirects"
    assert hops == 8


@pytest.mark.parametrize("location", ["https://[::1", "https://example.com:x/", "https://\x01/"])
async def test_a_redirect_to_what_is_no_url_is_refused(world: World, location: str) -> None:
    await world.server("pictures.example", answers(302, b"", {"Location": location}))
    world.know({"pictures.example": [[HERE]]})
    with pytest.raises((Forbidden, httpx.RemoteProtocolError)):
        await world.fetch("https://pictures.example/")
    assert world.outside.connected == [(HERE, 443)]


async def test_an_answer_that_drips_for_ever_is_given_up_after_the_whole_time(world: World) -> None:
    await world.server("pictures.example", drips)
    world.know({"pictures.example": [[HERE]]})
    async with within(3):
        with pytest.raises(httpx.TimeoutException):
            await world.fetch("https://pictures.example/")


async def test_a_body_without_an_end_is_given_up_after_the_whole_time(world: World) -> None:
    await world.server("pictures.example", babbles)
    world.know({"pictures.example": [[HERE]]})
    async with within(3):
        with pytest.raises(httpx.TimeoutException):
            await world.fetch("https://pictures.example/")


async def test_a_server_that_says_nothing_is_given_up_after_a_silence(world: World) -> None:
    await world.server("pictures.example", says_nothing)
    world.know({"pictures.example": [[HERE]]})
    async with within(3):
        with pytest.raises(httpx.ReadTimeout):
            await world.fetch("https://pictures.example/", patience=Patience(silence=0.2, total=60))


async def test_a_name_server_that_says_nothing_is_given_up(world: World) -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return [host, str(port)]

    way = Outgoing(Doors(), resolve=never, network=world.outside)
    async with within(3):
        with pytest.raises(httpx.ConnectTimeout):
            async with way.get("https://pictures.example/", Patience(connect=0.2)):
                pass


async def test_what_the_reader_raises_is_passed_on_also_when_it_is_a_time_out(world: World) -> None:
    await world.server("pictures.example", answers(200, b"a fox"))
    world.know({"pictures.example": [[HERE]]})
    for error in (ZeroDivisionError, TimeoutError):
        with pytest.raises(error):
            async with world.outgoing().get("https://pictures.example/", QUICK):
                raise error


async def test_no_cookie_and_no_key_goes_along_and_no_proxy_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    cookie = {"Set-Cookie": "a=b; Domain=example.com; Path=/", "Location": "https://there.example.com/"}
    first = await world.server("here.example.com", answers(302, b"", cookie))
    second = await world.server("there.example.com", answers(200, b"a fox"), at=THERE)
    world.know({"here.example.com": [[HERE]], "there.example.com": [[THERE]]})
    secret = {"Authorization": "Bearer secret", "X-Key": "secret"}
    assert await world.fetch("https://here.example.com/", credentials=secret) == b"a fox"
    for server in (first, second):
        assert "secret" not in server.head
        assert "cookie" not in server.head.lower()
        assert "proxy" not in server.head.lower()


async def test_the_door_of_ones_own_may_be_anywhere_and_is_shown_the_key_but_not_whom_it_names(
    world: World,
) -> None:
    stranger = await world.server("there.example.com", answers(200, b"a film"))
    world.know({"there.example.com": [[HERE]]})
    async with raw_server(answers(302, b"", {"Location": "https://there.example.com/"})) as own:
        world.outside.places["127.0.0.1", own.port] = own.port
        doors = Doors(own=frozenset({Origin.of(own.url)}))
        assert await world.fetch(own.url, doors, credentials={"Authorization": "Bearer secret"}) == b"a film"
        assert "authorization: bearer secret" in own.head.lower()
        assert "secret" not in stranger.head


@pytest.mark.parametrize("status", [300, 304, 305, 399])
async def test_only_what_leads_on_by_its_number_is_followed(world: World, status: int) -> None:
    await world.server("pictures.example", answers(status, b"", {"Location": "https://elsewhere.example/"}))
    world.know({"pictures.example": [[HERE]], "elsewhere.example": [[THERE]]})
    async with world.outgoing().get("https://pictures.example/", QUICK) as answer:
        assert answer.status_code == status
    assert world.outside.connected == [(HERE, 443)]


async def test_a_file_that_is_there_is_taken_whatever_its_location_says(world: World) -> None:
    await world.server("pictures.example", answers(200, b"a fox", {"Location": "https://10.0.0.1/"}))
    world.know({"pictures.example": [[HERE]]})
    assert await world.fetch("https://pictures.example/") == b"a fox"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_that_does_not_say_where_to_is_the_answer(world: World, status: int) -> None:
    await world.server("pictures.example", answers(status, b""))
    world.know({"pictures.example": [[HERE]]})
    async with world.outgoing().get("https://pictures.example/", QUICK) as answer:
        assert answer.status_code == status


async def test_where_http_is_good_enough_it_may_lead_on_to_http_and_to_https(world: World) -> None:
    first = await world.plain_server(answers(302, b"", {"Location": "http://more.example/"}), at=HERE)
    more = await world.plain_server(answers(302, b"", {"Location": "https://end.example/"}), at=THERE)
    await world.server("end.example", answers(200, b"a fox"), at=HERE)
    world.know({"plain.example": [[HERE]], "more.example": [[THERE]], "end.example": [[HERE]]})
    assert await world.fetch("http://plain.example/", OPEN) == b"a fox"
    assert (first.connections, more.connections) == (1, 1)


async def test_the_bytes_are_asked_for_and_handed_on_as_they_are(world: World) -> None:
    squeezed = gzip.compress(b"a fox")
    server = await world.server("pictures.example", answers(200, squeezed, {"Content-Encoding": "gzip"}))
    world.know({"pictures.example": [[HERE]]})
    assert await world.fetch("https://pictures.example/") == squeezed
    asked = server.head.lower().split("\r\n")
    assert {"accept: */*", "accept-encoding: identity", f"user-agent: {USER_AGENT.lower()}"} <= set(asked)


async def test_no_connection_outlives_its_errand(world: World) -> None:
    """Neither that of a redirect nor that of a file which nobody reads to its end."""
    hung_up: list[asyncio.StreamWriter] = []

    async def stays_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = b"HTTP/1.1 302 Found\r\nLocation: /fox\r\nContent-Length: 9\r\n\r\na"
        writer.write(answer if not hung_up else answer.replace(b"302 Found", b"200 OK"))
        while await reader.read(65536):
            pass
        hung_up.append(writer)

    await world.server("pictures.example", stays_open)
    world.know({"pictures.example": [[HERE]]})

    async def all_are_closed() -> bool:
        return len(hung_up) == 2

    async with world.outgoing().get("https://pictures.example/", QUICK) as answer:
        assert answer.status_code == 200
        assert len(hung_up) == 1, "who leads on is left before one goes on"
    await eventually(all_are_closed, within=3, what="the last connection is closed")
