"""Faults that are written into the prompt, for somebody at the Studio."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.live import LiveSandbox
from tests.sandbox.playback import play


def test_a_prompt_lets_its_job_fail_and_no_other(sandbox: LiveSandbox) -> None:
    failing = sandbox.create("A boat [sandbox:fail_job=SAFETY.INPUT.TEXT] at sea")
    other = sandbox.create("A boat")
    assert sandbox.finished(failing)["failureCode"] == "SAFETY.INPUT.TEXT"
    assert sandbox.finished(other)["status"] == "SUCCEEDED"


def test_a_prompt_acts_at_each_creation(sandbox: LiveSandbox) -> None:
    for _ in range(2):
        assert sandbox.order("[sandbox:status=503] A boat").status_code == 503
    assert sandbox.jobs() == []


def test_a_prompt_drops_its_reply(sandbox: LiveSandbox) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.order("[sandbox:drop_reply]")
    assert len(sandbox.jobs()) == 1


def test_a_prompt_resets_its_connection(sandbox: LiveSandbox) -> None:
    with pytest.raises(httpx.ReadError):
        sandbox.order("[sandbox:reset_connection]")
    assert sandbox.jobs() == []


def test_a_prompt_is_stuck(sandbox: LiveSandbox) -> None:
    assert sandbox.task(sandbox.create("[sandbox:stuck]"))["status"] == "RUNNING"


def test_a_prompt_spoils_as_many_downloads_as_it_says(sandbox: LiveSandbox) -> None:
    url = sandbox.output_url("[sandbox:truncated_output=2]")
    assert [play(sandbox.control.get(url).content).seconds == 2.0 for _ in range(3)] == [False, False, True]


def test_a_prompt_may_ask_for_two_things(sandbox: LiveSandbox) -> None:
    answer = sandbox.order("[sandbox:create_then_status=502][sandbox:stuck]")
    assert answer.status_code == 502
    assert sandbox.jobs()[0]["state"] == "running"


def test_a_word_for_another_provider_does_not_count(sandbox: LiveSandbox) -> None:
    assert sandbox.order("[sandbox:status=503@seedance]").status_code == 200
    assert sandbox.order("[sandbox:status=503@runway]").status_code == 503


@pytest.mark.parametrize(
    "word", ["explode", "status", "status=1", "stuck=3", "truncated_output=0", "slow_accept=x"]
)
def test_a_word_that_is_no_fault_is_refused_rather_than_ignored(sandbox: LiveSandbox, word: str) -> None:
    answer = sandbox.order(f"[sandbox:{word}]")
    assert answer.status_code == 400
    (issue,) = answer.json()["issues"]
    assert issue["path"] == ["promptText"]
    assert issue["values"]
