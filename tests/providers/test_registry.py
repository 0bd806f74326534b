"""Accounts exist exactly where there is access to them."""

from datetime import timedelta

import pytest

from domain.generation import DeploymentMode
from domain.line_up import RUNWAY
from providers.registry import Access, Accounts, UnknownAccount, WrongMode, facts_of

SANDBOX = DeploymentMode.SANDBOX


async def test_an_account_with_access_can_be_asked_and_no_other() -> None:
    access = {"runway": Access("http://127.0.0.1:9", "key", timedelta(milliseconds=500))}
    accounts = Accounts(access, mode=SANDBOX, answer_seconds=1)
    assert accounts.get("runway", SANDBOX).poll_interval == timedelta(milliseconds=500)
    with pytest.raises(UnknownAccount, match="seedance"):
        accounts.get("seedance", SANDBOX)
    with pytest.raises(WrongMode, match="live order"):
        accounts.get("runway", DeploymentMode.LIVE)
    await accounts.close()


async def test_without_a_rule_of_ours_the_providers_own_pace_is_kept() -> None:
    accounts = Accounts({"runway": Access("http://127.0.0.1:9", "key")}, mode=SANDBOX, answer_seconds=1)
    assert accounts.get("runway", SANDBOX).poll_interval == timedelta(seconds=5)
    await accounts.close()


def test_only_providers_with_access_are_offered() -> None:
    assert facts_of({}) == ()
    assert facts_of({"runway": Access("http://127.0.0.1:9", "key")}) == (RUNWAY,)
