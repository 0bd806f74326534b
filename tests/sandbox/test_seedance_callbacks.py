"""Callbacks: each change is told, an end until it is confirmed, and nobody who is down holds up another."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.sandbox.live import eventually
from tests.sandbox.receiver import receiver
from tests.sandbox.seedance_client import Seedance, live_seedance, text


def last(seedance: Seedance, task_id: str) -> str:
    status: str = seedance.task(task_id)["status"]
    return status


def test_the_start_and_the_end_are_told_with_the_task_as_it_is() -> None:
    with live_seedance(seconds=0.6, queue_seconds=0.2) as seedance, receiver() as told:
        task_id = seedance.create(callback_url=told.url, seed=9, safety_identifier="abc")
        told.hears("running", "succeeded")
        running, succeeded = told.told
        url, known = succeeded.pop("content")["video_url"], seedance.task(task_id)
        del known["content"]
        assert succeeded == known
        assert seedance.sandbox.control.get(url).headers["content-type"] == "video/mp4"
        assert {"content", "usage", "error"}.isdisjoint(running)
        assert all("signature" not in name for headers in told.headers for name in headers)


def test_a_task_without_a_running_time_tells_its_end() -> None:
    with live_seedance() as seedance, receiver() as told:
        seedance.create(callback_url=told.url)
        told.hears("succeeded")


def test_a_failure_is_told_with_its_code() -> None:
    with live_seedance(seconds=0.2) as seedance, receiver() as told:
        seedance.create(text("[sandbox:fail_job=InternalServiceError]"), callback_url=told.url)
        eventually(told.statuses, until=lambda seen: "failed" in seen)
        assert told.told[-1]["error"]["code"] == "InternalServiceError"


def test_a_change_is_told_twice_under_the_fault_of_that_name() -> None:
    with live_seedance() as seedance, receiver() as told:
        seedance.arm("create", "duplicate_callback")
        seedance.create(callback_url=told.url)
        told.hears("succeeded", "succeeded")
        seedance.create(text("[sandbox:duplicate_callback]"), callback_url=told.url)
        told.hears(*["succeeded"] * 4)
        seedance.create(callback_url=told.url)
        told.hears(*["succeeded"] * 5)


def test_an_end_is_told_again_until_it_is_confirmed() -> None:
    with live_seedance(callback_patience_seconds=0.5) as seedance, receiver() as told:
        told.answers = [500, 404]
        seedance.create(callback_url=told.url)
        told.hears(*["succeeded"] * 3)


def test_an_end_that_nobody_confirms_is_told_four_times_and_no_more() -> None:
    with (
        live_seedance(seconds=1.5, queue_seconds=0, callback_patience_seconds=0.4) as seedance,
        receiver() as told,
    ):
        told.answers = [200, 0, 0, 0, 0]
        seedance.create(callback_url=told.url)
        told.hears("running", *["succeeded"] * 4)
        second = seedance.create(callback_url=told.url)  # its end comes later than a fifth time would
        told.hears("running", *["succeeded"] * 4, "running", "succeeded")
        assert [task["id"] for task in told.told[-2:]] == [second, second]


def test_a_start_is_told_once_though_nobody_confirms_it() -> None:
    with (
        live_seedance(seconds=0.6, queue_seconds=0, callback_patience_seconds=0.5) as seedance,
        receiver() as told,
    ):
        told.answers = [500]
        seedance.create(callback_url=told.url)
        told.hears("running", "succeeded")


def test_a_receiver_that_is_down_holds_up_nobody_and_may_come_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with live_seedance(callback_patience_seconds=0.5) as seedance, receiver() as up:
        task_id = seedance.create(callback_url=f"http://127.0.0.1:{port}/hook")
        seedance.create(callback_url=up.url)
        up.hears("succeeded")
        assert last(seedance, task_id) == "succeeded"
        with receiver(port) as back:
            back.hears("succeeded")
            assert back.told[0]["id"] == task_id


def test_a_throttled_task_tells_its_start_when_its_turn_comes() -> None:
    with (
        live_seedance(seconds=0.3, queue_seconds=0, max_concurrent=1) as seedance,
        receiver() as told,
    ):
        seedance.create()
        second = seedance.create(callback_url=told.url)
        told.hears("running", "succeeded")
        assert {task["id"] for task in told.told} == {second}


def test_being_cancelled_is_not_told() -> None:
    with live_seedance(seconds=0.4, queue_seconds=0.2) as seedance, receiver() as told:
        cancelled = seedance.create(callback_url=told.url)
        seedance.delete(cancelled)
        after = seedance.create(callback_url=told.url)
        told.hears("running", "succeeded")
        assert {task["id"] for task in told.told} == {after}


def test_a_task_that_outlives_the_process_tells_its_end_from_the_next_one(tmp_path: Path) -> None:
    with receiver() as told:
        with live_seedance(seconds=2, queue_seconds=0, data_dir=tmp_path) as seedance:
            seedance.create(callback_url=told.url)
            told.hears("running")
        with live_seedance(data_dir=tmp_path):
            told.hears("running", "succeeded")
