"""Where the outputs of an account may be: on the public internet by https, or behind its own very door."""

from collections.abc import Mapping

import pytest

from domain.generation import DeploymentMode
from providers.base import ProviderError
from providers.outgoing.doors import Forbidden, Origin
from providers.outgoing.downloads import download
from providers.outgoing.fetching import Outgoing
from providers.registry import Access, Accounts, UnknownAccount
from tests.providers.raw import answers, raw_server

SANDBOX, LIVE = DeploymentMode.SANDBOX, DeploymentMode.LIVE
AT_HOME = "http://192.168.7.5:7860/stability"


async def way_to(account: str, mode: DeploymentMode, bases: Mapping[str, str]) -> Outgoing:
    access = {name: Access(base_url, "key") for name, base_url in bases.items()}
    accounts = Accounts(access, mode=mode, answer_seconds=1)
    try:
        return accounts.outgoing(account)
    finally:
        await accounts.close()


async def test_a_server_of_ones_own_may_hand_out_what_is_behind_its_own_door_and_nothing_beside_it() -> None:
    doors = (await way_to("stable-video", LIVE, {"stable-video": AT_HOME})).doors
    assert doors.admit("http://192.168.7.5:7860/output.mp4") == Origin.of(AT_HOME)
    for beside in (
        "http://192.168.7.5/",
        "https://192.168.7.5:7860/",
        "http://192.168.7.6:7860/",
        "http://a.example/",
    ):
        with pytest.raises(Forbidden):
            doors.admit(beside)


async def test_what_one_account_may_another_may_not() -> None:
    bases = {"stable-video": AT_HOME, "runway": "https://api.example.com"}
    doors = (await way_to("runway", LIVE, bases)).doors
    with pytest.raises(Forbidden):
        doors.admit("http://192.168.7.5:7860/output.mp4")
    assert doors.admit("https://cdn.example.com/output.mp4").port == 443


@pytest.mark.parametrize(("mode", "passes"), [(SANDBOX, True), (LIVE, False)])
async def test_http_is_good_enough_for_pretended_videos_only(mode: DeploymentMode, passes: bool) -> None:
    doors = (await way_to("runway", mode, {"runway": "https://api.example.com"})).doors
    if passes:
        assert doors.admit("http://cdn.example.com/output.mp4").port == 80
    else:
        with pytest.raises(Forbidden, match="https"):
            doors.admit("http://cdn.example.com/output.mp4")


async def test_in_sandbox_mode_the_sandbox_is_open_and_the_port_beside_it_is_not() -> None:
    async with raw_server(answers(200, b"a film")) as sandbox, raw_server(answers(200, b"secrets")) as beside:
        way = await way_to("runway", SANDBOX, {"runway": sandbox.url})
        async with download(way, f"{sandbox.url}/film.mp4") as chunks:
            assert b"".join([chunk async for chunk in chunks]) == b"a film"
        with pytest.raises(ProviderError, match="must not name a port"):
            async with download(way, f"{beside.url}/film.mp4"):
                pass
        assert beside.connections == 0


async def test_an_account_that_is_not_there_has_no_way_out() -> None:
    with pytest.raises(UnknownAccount):
        await way_to("seedance", LIVE, {"runway": "https://api.example.com"})
