"""OWASP API7:2023, server side request forgery: a picture's address leads nowhere but to the public internet.

In this town the sandbox's own door, which is open in sandbox mode, is a server of ours that can send us elsewhere.
"""

from typing import Any

import httpx
import pytest

from tests.api.pictures import solid
from tests.api.refusals import errors_of
from tests.outside import REFUSED
from tests.providers.raw import answers, raw_server
from tests.security.town import Town, an_order
from tests.stack import free_port

POINTER = "/params/image_url"
INSIDE = [(kind, address) for kind, addresses in REFUSED.items() for address in addresses]


async def order(town: Town, url: str, **fields: Any) -> httpx.Response:
    body = an_order("A picture from elsewhere", params={"image_url": url, "duration_seconds": 5}, **fields)
    return await town.ann.post("/v1/generations", json=body)


def url_of(address: str, scheme: str = "https") -> str:
    host = f"[{address.replace('%', '%25')}]" if ":" in address else address
    return f"{scheme}://{host}/latest/meta-data/"


def refused(answer: httpx.Response) -> dict[str, Any]:
    return errors_of(answer, code="image_url_refused")[POINTER]


async def test_no_address_that_is_not_public_is_asked(town: Town) -> None:
    assert len(INSIDE) > 40
    for kind, address in INSIDE:
        for scheme in ("https", "http"):
            error = refused(await order(town, url_of(address, scheme)))
            assert error["code"] == "not_public", (kind, address)


@pytest.mark.parametrize(
    "url",
    [
        *("https://2130706433/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://127.1/"),
        *("https://localhost/", "https://localhost./", "https://LOCALHOST/", "https://printer.local/"),
        *("https://metadata.google.internal/", "https://example.com@127.0.0.1/", "https://127.0.0.1:22/"),
        *("http://127.0.0.1:6379/", "https://1.1.1.1:5432/", "https://①②⑦.0.0.1/", "https://[::]/"),
        *("https://user:secret@1.1.1.1/", "https://127.0.0.1#@1.1.1.1/", "https://127.0.0.1\\@1.1.1.1/"),
    ],
)
async def test_no_disguise_helps(town: Town, url: str) -> None:
    answer = await order(town, url)
    assert answer.status_code == 422, answer.text
    [error] = answer.json()["errors"]
    assert error["pointer"] == POINTER
    assert answer.json()["code"] in {"image_url_refused", "invalid_request"}


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "gopher://1.1.1.1/", "ftp://1.1.1.1/a", "data:image/png,"]
)
async def test_no_other_scheme_is_known(town: Town, url: str) -> None:
    answer = await order(town, url)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == POINTER


@pytest.mark.parametrize(
    "onward", ["{inside}/secret.png", "https://127.0.0.1/", "http://169.254.169.254/", "//[::1]/"]
)
async def test_no_redirect_leads_inside(town: Town, onward: str) -> None:
    async with raw_server(answers(200, solid((200, 10, 10)))) as inside:
        location = {"Location": onward.format(inside=inside.url)}
        url = town.provider.has("/onward.png", answers(302, b"", location))
        refused(await order(town, url))
    assert inside.connections == 0
    assert any("/onward.png" in head for head in town.provider.asked), "it was followed as far as it may be"


async def test_nobody_learns_which_port_is_open(town: Town) -> None:
    async with raw_server(answers(200, b"SSH-2.0-OpenSSH")) as inside:
        open_one = await order(town, f"{inside.url}/a.png")
        closed = await order(town, f"http://127.0.0.1:{free_port()}/a.png")
    assert inside.connections == 0
    assert refused(open_one) == refused(closed)


async def test_the_next_take_is_guarded_like_the_first(town: Town) -> None:
    ordered = await town.ann.post("/v1/generations", json=an_order("one that gets another picture"))
    path = f"/v1/generations/{ordered.json()['id']}"
    assert (await town.ann.post(f"{path}/cancel")).status_code == 202
    async with raw_server(answers(200, b"inside")) as inside:
        change = {"params": {"image_url": f"{inside.url}/a.png"}}
        refused(await town.ann.post(f"{path}/regenerate", json=change))
    assert inside.connections == 0


async def test_an_estimate_asks_nobody(town: Town) -> None:
    async with raw_server(answers(200, b"inside")) as inside:
        for url in (f"{inside.url}/a.png", town.provider.has("/estimated.png", answers(200, b""))):
            body = an_order("what would it cost", params={"image_url": url, "duration_seconds": 5})
            await town.ann.post("/v1/estimates", json=body)
    assert inside.connections == 0
    assert not [head for head in town.provider.asked if "/estimated.png" in head]


async def test_a_good_picture_is_fetched_without_anything_that_shows_who_we_are(town: Town) -> None:
    url = town.provider.has("/good.png", answers(200, solid((10, 200, 10)), {"Set-Cookie": "a=b"}))
    answer = await order(town, url)
    assert answer.status_code == 202, answer.text
    [head] = [head.lower() for head in town.provider.asked if "/good.png" in head]
    for secret in ("authorization", "cookie", "x-request-id", "referer", town.keys["ann"]):
        assert secret not in head
    assert url not in (await town.ann.get(f"/v1/generations/{answer.json()['id']}")).text, "and is not kept"
