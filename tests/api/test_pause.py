"""A paused account gets no new orders and what runs there goes on; one's own pause holds up nobody else."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.conftest import only
from tests.api.paused import (
    account_of,
    another_tenant,
    pause_account,
    paused_account,
    queue_of,
    resume_account,
    say,
    stop,
    waits,
)
from tests.api.refusals import errors_of, problem_of
from tests.eventually import eventually
from tests.stack import Stack

REASON = "Their support looks into broken videos"
TOLD = f"Runway is paused by the operator: {REASON}."


async def health_of(stack: Stack, account: str = "runway") -> dict[str, Any]:
    """How an account stands, by the providers."""
    page = (await stack.http.get("/v1/providers")).json()
    return next(dict(one["health"]) for one in page["data"] if one["id"] == account)


async def test_a_pause_stops_new_orders_and_nothing_that_runs_and_is_told_to_everybody(narrow: Stack) -> None:
    running = await narrow.order("[sandbox:slow] one that runs")
    await narrow.reaches(running["id"], "generating")
    async with paused_account(narrow, reason=REASON):
        waiting = await narrow.order("one that comes too late")
        place = await waits(narrow, waiting["id"], "paused")
        assert (place["message"], place["eta_seconds"]) == (TOLD, None)
        assert (await narrow.end_of(running["id"]))["status"] == "completed"
        for shown in (await account_of(narrow), await health_of(narrow)):
            assert (shown["state"], shown["pause_reason"]) == ("paused", REASON)
        assert (await narrow.look(waiting["id"]))["stage"] == "queued"
        assert await narrow.jobs(waiting["id"]) == [], "the place is free, and nothing was sent"
        assert (await queue_of(narrow))["waiting"][0]["queue"]["message"] == TOLD
        assert (await account_of(narrow, "seedance"))["state"] == "open"
    assert (await narrow.end_of(waiting["id"]))["status"] == "completed"
    for shown in (await account_of(narrow), await health_of(narrow)):
        assert (shown["state"], shown["pause_reason"]) == ("open", None)


async def test_an_account_that_waits_paused_lets_a_waiting_one_be_cancelled(narrow: Stack) -> None:
    async with paused_account(narrow):
        waiting = await narrow.order()
        await waits(narrow, waiting["id"], "paused")
        answer = await narrow.http.post(f"/v1/generations/{waiting['id']}/cancel")
        assert answer.json()["outcome"] == "stopped_before_submit"


async def test_pausing_and_resuming_may_be_repeated_and_the_last_reason_counts(narrow: Stack) -> None:
    async with paused_account(narrow, reason="one"):
        assert (await pause_account(narrow, reason="another"))["pause_reason"] == "another"
    for _ in range(2):
        assert (await resume_account(narrow))["state"] == "open"


async def test_a_pause_that_is_repeated_late_under_its_key_pauses_nobody_again(narrow: Stack) -> None:
    async def pause() -> httpx.Response:
        headers = {"Idempotency-Key": "pause-once"}
        return await narrow.http.post("/v1/providers/runway/pause", json={"reason": "once"}, headers=headers)

    first = await pause()
    assert (first.status_code, first.json()["state"]) == (200, "paused")
    await resume_account(narrow)
    late = await pause()
    assert (late.status_code, late.headers["Idempotency-Replayed"]) == (200, "true")
    assert late.json()["state"] == "open"
    assert (await account_of(narrow))["state"] == "open"


async def test_ones_own_pause_holds_up_nobody_else(narrow: Stack) -> None:
    paused = await say(narrow, "/v1/queue/pause")
    try:
        assert paused["paused"] is True
        mine = await narrow.order("mine")
        place = await waits(narrow, mine["id"], "tenant_paused")
        assert place["message"] == "You have paused your queue; it waits until you resume it."
        async with another_tenant(narrow, "neighbour") as neighbour:
            assert (await neighbour.get("/v1/queue")).json()["paused"] is False
            body = {"prompt": "theirs", "provider": "runway", "params": {"duration_seconds": 2}}
            theirs = (await neighbour.post("/v1/generations", json=body)).json()

            async def done() -> bool:
                seen = (await neighbour.get(f"/v1/generations/{theirs['id']}")).json()
                return bool(seen["status"] == "completed")

            await eventually(done, within=60, what="theirs is made")
        assert (await narrow.look(mine["id"]))["stage"] == "queued"
        assert (await say(narrow, "/v1/queue/pause"))["paused"] is True
    finally:
        resumed = await say(narrow, "/v1/queue/resume")
    assert resumed["paused"] is False
    assert (await narrow.end_of(mine["id"]))["status"] == "completed"
    assert (await say(narrow, "/v1/queue/resume"))["paused"] is False


async def test_a_breaker_that_is_open_is_shown_and_can_be_reset(narrow: Stack) -> None:
    await narrow.fault("create", "status:401")
    failed = await narrow.end_of((await narrow.order())["id"])
    assert failed["error"]["category"] == "auth"
    try:
        waiting = await narrow.order()
        place = await waits(narrow, waiting["id"], "breaker")
        assert place["message"].startswith(
            "Runway did not accept the service's key and is left alone for another "
        )
        health = await health_of(narrow)
        assert (health["state"], health["breaker"]["state"]) == ("breaker_open", "open")
        assert health["breaker"]["cause"] == "auth"
        assert health["breaker"]["until"] is not None
        assert (await account_of(narrow))["state"] == "breaker_open"
    finally:
        reset = await say(narrow, "/v1/providers/runway/reset_breaker")
    assert reset["breaker"] == {"state": "closed", "until": None, "cause": None}
    assert (await narrow.end_of(waiting["id"]))["status"] == "completed"


async def test_a_pause_outlives_its_gate(narrow: Stack) -> None:
    async with paused_account(narrow, "seedance", REASON):
        await narrow.temporal("workflow", "terminate", "--workflow-id", "gate/seedance", "--reason", "a test")

        async def is_asked_elsewhere() -> bool:
            return bool((await account_of(narrow, "seedance"))["state"] == "unknown")

        await eventually(is_asked_elsewhere, what="the gate is gone")
        assert (await account_of(narrow, "seedance"))["pause_reason"] == REASON
        waiting = await narrow.order(provider="seedance")
        assert (await waits(narrow, waiting["id"], "paused"))["account"] == "seedance"
        await stop(narrow, waiting["id"])


@pytest.mark.parametrize("verb", ["pause", "resume", "reset_breaker"])
async def test_an_account_that_nobody_has_is_named_with_those_that_there_are(api: Stack, verb: str) -> None:
    body = {"reason": "why"} if verb == "pause" else None
    for account in ("nobody", "RUNWAY", "%00", "..%2Frunway"):
        answer = await api.http.post(f"/v1/providers/{account}/{verb}", json=body)
        if "%2F" not in account:
            assert "stable-video" in problem_of(answer, 404, "unknown_account")["detail"]
        else:
            problem_of(answer, 404, "not_found")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/reason", "missing"),
        ({"reason": ""}, "/reason", "string_too_short"),
        ({"reason": "x" * 201}, "/reason", "string_too_long"),
        ({"reason": " \n"}, "/reason", "blank"),
        ({"reason": "a\u0000"}, "/reason", "control_character"),
        ({"reason": None}, "/reason", "string_type"),
        ({"reason": "why", "until": "noon"}, "/until", "extra_forbidden"),
    ],
)
async def test_a_reason_is_one_to_two_hundred_characters(
    api: Stack, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await api.http.post("/v1/providers/runway/pause", json=body)
    assert errors_of(answer)[pointer]["code"] == code
    assert (await account_of(api))["pause_reason"] is None


@pytest.mark.parametrize(
    "path",
    [
        "/v1/queue/pause",
        "/v1/queue/resume",
        "/v1/providers/runway/resume",
        "/v1/providers/runway/reset_breaker",
    ],
)
async def test_what_needs_no_body_takes_none(api: Stack, path: str) -> None:
    errors = errors_of(await api.http.post(path, json={"reason": "why"}))
    assert errors["/reason"]["code"] == "extra_forbidden"


async def test_a_pause_is_written_down_even_where_the_gate_cannot_be_told(tmp_path: Path) -> None:
    async with only(tmp_path, "api") as alone:
        answer = await alone.http.post("/v1/providers/runway/pause", json={"reason": REASON})
        problem_of(answer, 503, "gate_away")
        assert answer.headers["Retry-After"]
        runway = await account_of(alone)
        assert (runway["state"], runway["pause_reason"]) == ("unknown", REASON)
        assert (await health_of(alone))["pause_reason"] == REASON
        await alone.http.post("/v1/queue/pause")
        assert (await queue_of(alone))["paused"] is True
