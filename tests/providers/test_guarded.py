"""The guarded way out, over real sockets: every kind of address, and the tricks of names."""

from ipaddress import ip_address

import httpx
import pytest

from domain import addresses
from providers.outgoing.doors import Doors, Forbidden, Origin
from tests.outside import HERE, PUBLIC, REFUSED, THERE
from tests.providers.internet import World
from tests.providers.raw import answers, raw_server

EVERY = [(kind, text) for kind, texts in REFUSED.items() for text in texts]


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


async def test_a_server_that_cannot_show_who_it_is_gets_no_request(world: World) -> None:
    server = await world.server("pictures.example", answers(200, b"a fox"), called="other.example")
    world.know({"pictures.example": [[HERE]]})
    with pytest.raises(httpx.ConnectError):
        await world.fetch("https://pictures.example/")
    assert server.received in ([], [b""])


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
