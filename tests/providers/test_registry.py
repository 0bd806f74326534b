"""Accounts exist exactly where there is access to them, and access is the sandbox's or real, never both."""

import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.attempts.failures import Category
from domain.attempts.outcomes import NotSent
from domain.costs.prices import PerToken
from domain.generation import DeploymentMode
from domain.orders.line_up import LINE_UP
from domain.orders.line_up.runway import RUNWAY
from domain.orders.line_up.seedance import SEEDANCE
from domain.orders.line_up.stable_video import RETIREMENT, STABLE_VIDEO
from providers.registry import SANDBOX_LISTING_DELAY, Access, Accounts, UnknownAccount, WrongMode, facts_of
from providers.runway import account as runway
from providers.seedance import account as seedance
from providers.stable_video import account as stability
from runtime.accounts import NoPrice, access_of
from runtime.settings import Settings
from tests.providers.orders import Permission
from tests.providers.raw import answers, raw_server
from tests.providers.stability import a_job_order

SANDBOX, LIVE = DeploymentMode.SANDBOX, DeploymentMode.LIVE
NOWHERE = "http://127.0.0.1:9"
KEYS = {"runway": {"key": "rw"}, "seedance": {"key": "sd"}, "stable-video": {"key": "st"}}
OWN_SERVER = {"stable-video": {"base_url": NOWHERE}}


@pytest.fixture(autouse=True)
def _no_settings_around_us(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith("_API_KEY") or name.startswith("VIDEOPLANET_"):
            monkeypatch.delenv(name)


def access(**settings: Any) -> dict[str, Access]:
    return dict(access_of(Settings.model_validate(settings)))


async def test_an_account_with_access_can_be_asked_and_no_other() -> None:
    one = {"runway": Access(NOWHERE, "key", timedelta(milliseconds=500))}
    accounts = Accounts(one, mode=SANDBOX, answer_seconds=1)
    assert accounts.get("runway", SANDBOX).poll_interval == timedelta(milliseconds=500)
    with pytest.raises(UnknownAccount, match="seedance"):
        accounts.get("seedance", SANDBOX)
    with pytest.raises(WrongMode, match="live order"):
        accounts.get("runway", LIVE)
    await accounts.close()


async def test_without_a_rule_of_ours_the_providers_own_pace_is_kept() -> None:
    every = {facts.id: Access(NOWHERE, "key") for facts in LINE_UP}
    accounts = Accounts(every, mode=SANDBOX, answer_seconds=1)
    paces = [accounts.get(facts.id, SANDBOX).poll_interval for facts in LINE_UP]
    assert paces == [runway.POLL_INTERVAL, seedance.POLL_INTERVAL, stability.POLL_INTERVAL]
    assert accounts.get("seedance", SANDBOX).listing_delay == seedance.LISTING_DELAY
    await accounts.close()


async def test_each_account_speaks_its_own_providers_wire() -> None:
    accounts = Accounts(access(), mode=SANDBOX, answer_seconds=1)
    kinds = [type(accounts.get(facts.id, SANDBOX)) for facts in LINE_UP]
    assert kinds == [runway.Runway, seedance.Seedance, stability.Stability]
    await accounts.close()


async def test_the_sandbox_has_all_accounts_and_a_pace_of_its_own() -> None:
    found = access(sandbox_url="http://sandbox.example")
    assert list(found) == ["runway", "seedance", "stable-video"]
    assert {how.base_url for how in found.values()} == {"http://sandbox.example"}
    assert not any(how.is_retired for how in found.values())
    accounts = Accounts(found, mode=SANDBOX, answer_seconds=1)
    assert {accounts.get(account, SANDBOX).poll_interval for account in found} == {timedelta(seconds=0.5)}
    assert accounts.get("seedance", SANDBOX).listing_delay == SANDBOX_LISTING_DELAY
    await accounts.close()
    assert facts_of(found) == LINE_UP


def test_a_real_key_never_reaches_the_sandbox() -> None:
    found = access(doors=KEYS | {"stable-video": {"key": "st", "base_url": "https://svd.example.com"}})
    assert {how.api_key for how in found.values()} == {"sandbox"}
    assert {how.base_url for how in found.values()} == {"http://127.0.0.1:8700"}


def test_a_live_deployment_without_keys_has_nothing() -> None:
    assert access(mode="live") == {}
    assert facts_of({}) == ()


@pytest.mark.parametrize(
    "accounts",
    [
        ["runway"],
        ["seedance"],
        ["stable-video"],
        ["runway", "seedance"],
        ["runway", "seedance", "stable-video"],
    ],
)
def test_in_live_mode_the_keys_decide(accounts: list[str]) -> None:
    found = access(mode="live", doors={account: KEYS[account] for account in accounts})
    assert list(found) == accounts
    assert [how.api_key for how in found.values()] == [KEYS[account]["key"] for account in accounts]
    assert [facts.id for facts in facts_of(found)] == accounts
    assert all("127.0.0.1" not in how.base_url for how in found.values())
    assert all((how.poll_interval, how.listing_delay) == (None, None) for how in found.values())


@pytest.mark.parametrize("mode", ["sandbox", "live"])
def test_a_pace_that_was_set_is_everybodys(mode: str) -> None:
    found = access(mode=mode, poll_seconds=0.2, doors=KEYS)
    assert {how.poll_interval for how in found.values()} == {timedelta(seconds=0.2)}


def test_each_account_is_reached_where_the_settings_say() -> None:
    found = access(
        mode="live",
        doors={
            "runway": {"key": "rw", "base_url": "https://runway.example.com"},
            "seedance": {"key": "sd", "base_url": "https://ark.example.com"},
            "stable-video": {"key": "st", "base_url": "https://svd.example.com", "price_usd": "0"},
        },
    )
    assert [(how.base_url, how.api_key) for how in found.values()] == [
        ("https://runway.example.com", "rw"),
        ("https://ark.example.com", "sd"),
        ("https://svd.example.com", "st"),
    ]


def test_a_key_for_the_hosted_stable_video_opens_a_door_that_is_closed() -> None:
    found = access(mode="live", doors=KEYS)
    assert [how.is_retired for how in found.values()] == [False, False, True]
    *others, stable_video = facts_of(found)
    assert others == [RUNWAY, SEEDANCE]
    assert stable_video == STABLE_VIDEO.model_copy(update={"retired": RETIREMENT})


async def test_a_retired_account_sends_nothing() -> None:
    async with raw_server(answers(200, {"id": "never"})) as server:
        closed = {"stable-video": Access(server.url, "key", is_retired=True)}
        accounts = Accounts(closed, mode=LIVE, answer_seconds=1)
        result = await accounts.get("stable-video", LIVE).submit(a_job_order(), Permission())
        await accounts.close()
    assert isinstance(result, NotSent)
    assert result.failure.category is Category.RETIRED
    assert server.connections == 0


@pytest.mark.parametrize("key", ["", "st"])
async def test_a_stable_video_of_ones_own_exists_with_and_without_a_key(key: str) -> None:
    own = {"base_url": "https://svd.example.com", "price_usd": "0"} | ({"key": key} if key else {})
    found = access(mode="live", doors={"stable-video": own})
    assert list(found) == ["stable-video"]
    assert (found["stable-video"].base_url, found["stable-video"].api_key) == ("https://svd.example.com", key)
    assert [facts.id for facts in facts_of(found)] == [STABLE_VIDEO.id]
    accounts = Accounts(found, mode=LIVE, answer_seconds=1)
    sent = accounts.get("stable-video", LIVE).output_headers
    assert sent.get("Authorization") == (f"Bearer {key}" if key else None)
    await accounts.close()


def test_only_providers_with_access_are_offered() -> None:
    assert facts_of({"runway": Access(NOWHERE, "key")}) == (RUNWAY,)


def price_at_own_server(usd: str | None = None, **settings: Any) -> int:
    own = access(mode="live", doors={"stable-video": {"base_url": NOWHERE, "price_usd": usd}}, **settings)
    (facts,) = facts_of(own)
    return facts.models[0].capabilities[0].price.of(4, 1024, 576, silent=False)


@pytest.mark.parametrize(("usd", "micros"), [("0.07", 70_000), ("0", 0)])
def test_a_video_of_ones_own_server_costs_what_the_operator_says(usd: str, micros: int) -> None:
    assert price_at_own_server(usd) == micros


def test_a_server_of_ones_own_without_a_price_is_refused_and_never_free() -> None:
    with pytest.raises(
        NoPrice, match=r"VIDEOPLANET_STABILITY_PRICE_USD is not set: .* svd .*; set it to .*, or to 0"
    ):
        price_at_own_server()


def test_the_sandbox_needs_no_price_of_a_server_that_it_does_not_ask() -> None:
    assert facts_of(access(doors=OWN_SERVER)) == LINE_UP


def test_a_price_in_the_file_is_that_of_ones_own_server_too(tmp_path: Path) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(
        '[accounts.stable-video.models.svd]\nunit = "video"\nusd = "0.03"\nread_on = 2026-11-20\n'
    )
    assert price_at_own_server(providers_file=file) == 30_000
    assert price_at_own_server("0.09", providers_file=file) == 30_000, "the file wins"


@pytest.mark.parametrize("mode", ["sandbox", "live"])
async def test_prices_of_the_file_are_those_of_the_facts_and_of_the_bills(tmp_path: Path, mode: str) -> None:
    file = tmp_path / "providers.toml"
    price = 'unit = "million_tokens"\nusd = "5"\nread_on = 2026-11-20\ncertain = true\n'
    file.write_text(f"[accounts.seedance.models.dreamina-seedance-2-5-260628]\n{price}")
    found = access(mode=mode, providers_file=file, doors=KEYS)
    facts = next(one for one in facts_of(found) if one.id == "seedance")
    model = facts.models[-1]
    assert [one.price for one in model.capabilities] == [PerToken(micros=5_000_000)] * 2
    assert {(one.price_is_certain, one.price_read) for one in model.capabilities} == {
        (True, date(2026, 11, 20))
    }
    assert facts.models[:-1] == SEEDANCE.models[:-1], "nobody has said anything of these"
    task = {"status": "succeeded", "model": model.id, "usage": {"total_tokens": 100_000}}
    async with raw_server(answers(200, task)) as server:
        here = {"seedance": replace(found["seedance"], base_url=server.url)}
        accounts = Accounts(here, mode=SANDBOX, answer_seconds=1)
        look = await accounts.get("seedance", SANDBOX).status("cgt-1")
        await accounts.close()
    assert look.cost == 500_000
