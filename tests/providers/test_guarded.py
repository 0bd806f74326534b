"""The guarded way out, over real sockets: every kind of address, and the tricks of names and redirects."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address

import httpx
import pytest

from domain import addresses
from providers.outgoing.doors import Doors, Forbidden, Origin
from providers.outgoing.fetching import Outgoing, Patience
from tests.outside import HERE, PUBLIC, REFUSED, THERE, Authority, Names, Outside
from tests.providers.raw import RawServer, Script, answers, babbles, drips, raw_server, says_nothing

EVERY = [(kind, text) for kind, texts in REFUSED.items() for text in texts]
QUICK = Patience(connect=1, silence=0.2, total=1)
STRICT, OPEN = Doors(), Doors(allows_http=True)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


class World:
    """Servers on the internet outside, and the way to them."""

    def __init__(self, authority: Authority, stack: AsyncExitStack) -> None:
        self.outside = Outside()
        self.names = Names({})
        self._authority = authority
        self._stack = stack

    async def server(self, name: str, script: Script, *, at: str = HERE, called: str = "") -> RawServer:
        """Start a server that answers to https at an address; its certificate has its name, or another."""
        context = self._authority.server(called or name)
        server = await self._stack.enter_async_context(raw_server(script, context))
        self.outside.places[at, 443] = server.port
        return server

    async def plain_server(self, script: Script, *, at: str) -> RawServer:
        """Start a server that answers to http."""
        server = await self._stack.enter_async_context(raw_server(script))
        self.outside.places[at, 80] = server.port
        return server

    def know(self, names: Mapping[str, Sequence[Sequence[str]]]) -> None:
        """Give names addresses: those of the first look, of the second..."""
        self.names = Names(names)

    def outgoing(self, doors: Doors = STRICT) -> Outgoing:
        """The way out."""
        return Outgoing(
            doors, resolve=self.names, network=self.outside, certificates=self._authority.client()
        )

    async def fetch(
        self,
        url: str,
        doors: Doors = STRICT,
        patience: Patience = QUICK,
        credentials: Mapping[str, str] | None = None,
    ) -> bytes:
        """What is there."""
        async with self.outgoing(doors).get(url, patience, credentials=credentials) as answer:
            assert answer.status_code == 200, answer.status_code
            kept = b""
            async for chunk in answer.aiter_raw():
                kept = (kept + chunk)[:100]
            return kept

    async def refusal(self, url: str, doors: Doors = STRICT, patience: Patience = QUICK) -> str:
        """Why it is refused."""
        with pytest.raises(Forbidden) as refused:
            await self.fetch(url, doors, patience)
        assert refused.value.reason
        return refused.value.code


@pytest.fixture
async def world(authority: Authority) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(authority, stack)


async def test_a_file_of_the_public_internet_arrives_from_the_address_that_was_judged(world: World) -> None:
    server = await world.server("pictures.example", answers(200, b"a fox"))
    world.know({"pictures.example": [[HERE]]})
    assert await world.fetch("https://pictures.example/fox.png?size=2") == b"a fox"
    assert server.head.startswith("GET /fox.png?size=2 HTTP/1.1\r\nHost: pictures.example\r\n")
    assert world.outside.connected == [(HERE, 443)]
    assert world.names.asked == ["pictures.example"]


@pytest.mark.parametrize(("kind", "text"), EVERY)
async def test_a_name_that_leads_to_no_public_address_is_refused_and_never_connected_to(
    world: World, kind: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.server("pictures.example", answers(200, b"secrets"), at=text)
    world.know({"pictures.example": [[text]]})
    assert await world.refusal("https://pictures.example/") == "not_public"
    assert world.outside.connected == []
    # With the guard of this kind off, and of no other, it would have been reached.
    monkeypatch.setattr(addresses, "REFUSED", addresses.REFUSED - {kind})
    assert await world.fetch("https://pictures.example/") == b"secrets"


@pytest.mark.parametrize("text", PUBLIC)
async def test_a_public_address_is_reached(world: World, text: str) -> None:
    await world.server("pictures.example", answers(200, b"a fox"), at=text)
    world.know({"pictures.example": [[text]]})
    assert await world.fetch("https://pictures.example/") == b"a fox"


@pytest.mark.parametrize(("kind", "text"), [one for one in EVERY if one[0] != "zoned"])
async def test_such_an_address_in_the_url_itself_is_refused(world: World, kind: str, text: str) -> None:
    assert addresses.kind_of(ip_address(text)) == kind
    host = f"[{text}]" if ":" in text else text
    assert await world.refusal(f"https://{host}/") == "not_public"
    assert world.outside.connected == []


async def test_a_public_address_in_the_url_itself_is_reached(world: World) -> None:
    await world.server(THERE, answers(200, b"a fox"), at=THERE)
    assert await world.fetch(f"https://[{THERE}]/") == b"a fox"


SPELLED = {
    "host": (
        *(
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://127.1/",
            "https://0/",
        ),
        *("https://127.0.0.1./", "https://%31%32%37.0.0.1/", "https://1.1.1.1.1/", "https://localhost/"),
        *("https://example.com./", "https://exa%6dple.com/", "https://ex ample.com/", "https://a..b.com/"),
        *("https://localhost%00.example.com/", "https://intranet/", f"https://{'a' * 70}.com/"),
        *(f"https://{'a.' * 127}example.com/", "https://017700000001/", "https://-a.com/"),
    ),
    "not_public": (
        *("https://127。0。0。1/", "https://[::ffff:7f00:1]/", "https://[fe80::1%25eth0]/"),
        *("https://[0:0:0:0:0:ffff:127.0.0.1]/", "https://foo.localhost/", "https://LOCALHOST.localdomain/"),
        *("https://metadata.google.internal/", "https://printer.local/", "https://router.home.arpa/"),
    ),
    "not_a_url": (
        *("https://0177.0.0.1/", "https://①②⑦.⓪.⓪.①/", "https://\uff11\uff12\uff17.0.0.1/", "https:///"),
        *("https:example.com", "//example.com/", "fox.png", "", "https://[::1/", "https://example.com:x/"),
        *("https://example.com\t.evil.example/", "file:///etc/passwd", "data:image/png;base64,AAAA"),
        *("gopher://example.com/", "https:/\\/\\127.0.0.1/", "javascript:alert(1)"),
    ),
    "credentials": (
        *("https://me:secret@example.com/", "https://example.com@127.0.0.1/", "https://me@example.com/"),
        "https://example.com\\@127.0.0.1/",
    ),
    "port": ("https://example.com:80/", "https://example.com:22/", "https://example.com:8443/"),
    "not_https": ("http://example.com/", "ftp://example.com:443/", "http://example.com:443/"),
}


@pytest.mark.parametrize(("code", "url"), [(code, url) for code, urls in SPELLED.items() for url in urls])
async def test_a_url_that_is_spelled_to_deceive_is_refused_before_anything_is_asked(
    world: World, code: str, url: str
) -> None:
    world.know({"example.com": [[HERE]]})
    assert await world.refusal(url) == code
    assert (world.outside.connected, world.names.asked) == ([], [])


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


@pytest.mark.parametrize("found", [[HERE, "10.0.0.1"], ["10.0.0.1", HERE], [THERE, HERE, "::1"]])
async def test_a_name_with_one_address_that_is_not_public_is_refused_as_a_whole(
    world: World, found: list[str]
) -> None:
    world.know({"pictures.example": [found]})
    assert await world.refusal("https://pictures.example/") == "not_public"
    assert world.outside.connected == []


async def test_a_name_that_changes_its_mind_is_asked_once_and_connected_to_by_number(world: World) -> None:
    await world.server("pictures.example", answers(200, b"a fox"))
    inside = await world.server("pictures.example", answers(200, b"secrets"), at="127.0.0.1")
    world.know({"pictures.example": [[HERE], ["127.0.0.1"]]})
    assert await world.fetch("https://pictures.example/") == b"a fox"
    assert (world.names.asked, world.outside.connected) == (["pictures.example"], [(HERE, 443)])
    assert inside.connections == 0
    # The next errand asks anew, and sees what became of it.
    assert await world.refusal("https://pictures.example/") == "not_public"
    assert inside.connections == 0


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


async def test_a_server_that_cannot_show_who_it_is_gets_no_request(world: World) -> None:
    server = await world.server("pictures.example", answers(200, b"a fox"), called="other.example")
    world.know({"pictures.example": [[HERE]]})
    with pytest.raises(httpx.ConnectError):
        await world.fetch("https://pictures.example/")
    assert server.received in ([], [b""])


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


@pytest.mark.parametrize("found", [[], ["not an address"], [HERE, "fe80::zz"]])
async def test_a_name_without_a_readable_address_is_not_reached(world: World, found: list[str]) -> None:
    world.know({"pictures.example": [found]})
    for name in ("pictures.example", "nothing.example"):
        with pytest.raises(httpx.ConnectError):
            await world.fetch(f"https://{name}/")
    assert world.outside.connected == []


async def test_where_one_address_does_not_answer_the_next_is_tried_but_not_for_ever(world: World) -> None:
    many = [f"93.184.215.{last}" for last in range(100, 120)]
    await world.server("pictures.example", answers(200, b"a fox"), at=many[2])
    world.know({"pictures.example": [many], "gone.example": [many[3:]]})
    assert await world.fetch("https://pictures.example/") == b"a fox"
    assert world.outside.connected == [(address, 443) for address in many[:3]]
    world.outside.connected.clear()
    with pytest.raises(httpx.ConnectError):
        await world.fetch("https://gone.example/")
    assert len(world.outside.connected) == 4


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


@pytest.mark.parametrize(
    "change", ["https://127.0.0.1:{port}/", "http://127.0.0.1/", "http://127.0.0.2:{port}/"]
)
async def test_beside_the_very_door_of_ones_own_nothing_there_is_open(world: World, change: str) -> None:
    async with raw_server(answers(200, b"secrets")) as own:
        doors = Doors(own=frozenset({Origin.of(own.url)}), allows_http=True)
        assert await world.refusal(change.format(port=own.port), doors) in {"not_public", "port"}
        assert own.connections == 0


async def test_a_message_can_be_posted_through_the_guard(world: World) -> None:
    """As webhooks will be."""
    server = await world.server("hooks.example", answers(200, b"thanks"))
    world.know({"hooks.example": [[HERE]], "inside.example": [["10.0.0.1"]]})
    async with world.outgoing().transport() as way, httpx.AsyncClient(transport=way) as client:
        answer = await client.post("https://hooks.example/", json={"type": "generation.completed"})
        assert answer.text == "thanks"
        assert server.body == {"type": "generation.completed"}
        for url in ("https://inside.example/", "http://hooks.example/", "https://hooks.example:22/"):
            with pytest.raises(Forbidden):
                await client.post(url, json={})


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Fail where it takes longer."""
    async with asyncio.timeout(seconds):
        yield
