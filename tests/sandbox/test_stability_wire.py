"""What Stable Video's one GET answers when, who may ask, and what is kept how long."""

from __future__ import annotations

import base64
import functools
import io
import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.sandbox.live import LiveSandbox, eventually, live_sandbox
from tests.sandbox.playback import play

PATH = "/v2beta/image-to-video"
KEY = {"Authorization": "Bearer key"}
VIDEO, JSON = "video/*", "application/json"
MOST_SEED = 4_294_967_294
SEED = {"seed": "7"}


@functools.cache
def picture(width: int = 768, height: int = 768, kind: str = "PNG", colour: str = "teal") -> bytes:
    canvas = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(canvas, kind)
    return canvas.getvalue()


def order(
    sandbox: LiveSandbox,
    fields: Mapping[str, str] | None = None,
    *,
    image: bytes | None = None,
    reference: str | None = None,
    timeout: float = 10,
) -> httpx.Response:
    """Asks for a video of a picture."""
    headers = KEY | ({} if reference is None else {"Idempotency-Key": reference})
    files = {"image": ("picture", picture() if image is None else image)}
    return sandbox.control.post(PATH, headers=headers, files=files, data=fields, timeout=timeout)


def create(sandbox: LiveSandbox, fields: Mapping[str, str] | None = None, image: bytes | None = None) -> str:
    """The id of a new job."""
    answer = order(sandbox, fields, image=image)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"id"}
    job_id: str = answer.json()["id"]
    return job_id


def result(sandbox: LiveSandbox, job_id: str, accept: str = VIDEO) -> httpx.Response:
    return sandbox.control.get(f"{PATH}/result/{job_id}", headers=KEY | {"Accept": accept})


def errors(answer: httpx.Response, status: int, name: str) -> list[str]:
    """The reasons of a refusal that has this status and name, and nothing but what the wire has."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"id", "name", "errors"}
    assert (body["name"], re.fullmatch("[0-9a-f]{64}", body["id"]) is not None) == (name, True)
    assert all(isinstance(error, str) and error for error in body["errors"])
    reasons: list[str] = body["errors"]
    return reasons


@pytest.mark.parametrize(
    ("width", "height", "kind"), [(1024, 576, "PNG"), (576, 1024, "JPEG"), (768, 768, "PNG")]
)
def test_a_picture_becomes_four_seconds_of_its_own_size(
    sandbox: LiveSandbox, width: int, height: int, kind: str
) -> None:
    job_id = create(sandbox, SEED, picture(width, height, kind))
    assert re.fullmatch("[0-9a-f]{64}", job_id)
    answer = result(sandbox, job_id)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert (answer.headers["finish-reason"], answer.headers["seed"]) == ("SUCCESS", "7")
    seen = play(answer.content)
    assert (seen.width, seen.height, seen.codec, seen.pixel_format) == (width, height, "h264", "yuv420p")
    assert seen.seconds == seen.promised_seconds == 4.0


def test_the_same_video_comes_in_base64_to_those_who_accept_json(sandbox: LiveSandbox) -> None:
    job_id = create(sandbox, SEED)
    answer = result(sandbox, job_id, JSON)
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"video", "finish_reason", "seed"}
    assert (body["finish_reason"], body["seed"]) == ("SUCCESS", 7)
    video = base64.b64decode(body["video"], validate=True)
    assert play(video).seconds == 4.0
    assert video == result(sandbox, job_id).content == result(sandbox, job_id, "*/*").content


def test_while_a_job_waits_and_runs_the_result_is_202_and_its_bill_is_empty() -> None:
    with live_sandbox(seconds=0.6, queue_seconds=0.2) as sandbox:
        job_id = create(sandbox)
        seen = [result(sandbox, job_id, accept) for accept in (VIDEO, JSON)]
        for answer in seen:
            assert (answer.status_code, answer.json()) == (202, {"id": job_id, "status": "in-progress"})
        jobs = sandbox.jobs()
        eventually(
            lambda: jobs.extend(sandbox.jobs()), until=lambda _: result(sandbox, job_id).status_code == 200
        )
        jobs += sandbox.jobs()
    assert {job["state"]: job["billed_usd"] for job in jobs} == {"pending": 0, "running": 0, "succeeded": 0.2}


def test_a_seed_of_zero_or_none_at_all_is_a_random_one_and_stays(sandbox: LiveSandbox) -> None:
    jobs = [create(sandbox), create(sandbox, {"seed": "0"})]
    seeds = [int(result(sandbox, job_id).headers["seed"]) for job_id in jobs]
    assert len({0, *seeds}) == 3
    assert all(1 <= seed <= MOST_SEED for seed in seeds)
    assert [result(sandbox, job_id, JSON).json()["seed"] for job_id in jobs] == seeds


def test_the_seed_that_was_asked_for_is_said_though_all_pictures_are_alike() -> None:
    with live_sandbox(picture_variety=1) as sandbox:
        answers = [result(sandbox, create(sandbox, {"seed": seed})) for seed in ("7", str(MOST_SEED))]
    assert [answer.headers["seed"] for answer in answers] == ["7", str(MOST_SEED)]
    assert answers[0].content == answers[1].content


def test_the_picture_the_seed_and_the_motion_decide_what_the_video_shows(sandbox: LiveSandbox) -> None:
    def video(fields: Mapping[str, str], image: bytes | None = None) -> bytes:
        return result(sandbox, create(sandbox, fields, image)).content

    usual = video(SEED)
    assert video({"seed": "7", "motion_bucket_id": "127", "cfg_scale": "1.8"}) == usual
    others = [
        video({"seed": "8"}),
        video(SEED, picture(colour="maroon")),
        video({"seed": "7", "motion_bucket_id": "10"}),
    ]
    assert len({usual, *others}) == 4


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer invalid", "Basic key"], ids=lambda value: value or "none"
)
def test_strangers_are_refused(sandbox: LiveSandbox, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path in (("POST", PATH), ("GET", f"{PATH}/result/{create(sandbox)}")):
        errors(sandbox.control.request(method, path, headers=headers), 401, "unauthorized")


def test_jobs_are_listed_with_their_reference_and_no_picture_and_a_key_twice_makes_two(
    sandbox: LiveSandbox,
) -> None:
    for _ in range(2):
        order(sandbox, {"seed": "7", "colour": "red"}, reference="gen_1.1.1")
    jobs = sandbox.jobs()
    assert len({job["job_id"] for job in jobs}) == 2
    for job in jobs:
        assert (job["provider"], job["client_reference"]) == ("stable-video", "gen_1.1.1")
        assert (job["state"], job["billed_usd"]) == ("succeeded", 0.2)
        assert job["request"].keys() == {"image", "seed"}
        assert job["request"]["seed"] == "7"
        assert re.fullmatch(r"PNG of 768x768 \(\d+ bytes, sha256 [0-9a-f]{64}\)", job["request"]["image"])


def test_what_the_wire_does_not_have_is_not_there(sandbox: LiveSandbox) -> None:
    job_id = create(sandbox)
    assert result(sandbox, "0" * 64).status_code == 404
    errors(result(sandbox, "0" * 64, JSON), 404, "not_found")
    assert sandbox.control.delete(f"{PATH}/result/{job_id}", headers=KEY).status_code == 405
    assert sandbox.control.get(PATH, headers=KEY).status_code == 405
    whole = result(sandbox, job_id)
    assert "accept-ranges" not in whole.headers
    part = sandbox.control.get(f"{PATH}/result/{job_id}", headers=KEY | {"Range": "bytes=10-"})
    assert (part.status_code, part.content) == (200, whole.content)


def test_a_result_expires_and_its_job_stays_listed() -> None:
    with live_sandbox(output_ttl_seconds=0.4) as sandbox:
        job_id = create(sandbox)
        assert result(sandbox, job_id, JSON).status_code == 200
        gone = eventually(lambda: result(sandbox, job_id, JSON), until=lambda seen: seen.status_code != 200)
        errors(gone, 404, "not_found")
        errors(result(sandbox, job_id), 404, "not_found")
        assert [job["state"] for job in sandbox.jobs()] == ["succeeded"]


@pytest.mark.parametrize(("age_hours", "status"), [(23.9, 200), (24.1, 404)])
def test_a_result_is_kept_for_a_day_after_its_end(tmp_path: Path, age_hours: float, status: int) -> None:
    with live_sandbox(data_dir=tmp_path) as sandbox:
        job_id = create(sandbox)
    with sqlite3.connect(tmp_path / "sandbox.sqlite3") as book:
        book.execute(
            "UPDATE jobs SET record = json_set(record, '$.starts_at', record ->> '$.starts_at' - ?)",
            (age_hours * 3600,),
        )
    book.close()
    with live_sandbox(data_dir=tmp_path) as sandbox:
        assert result(sandbox, job_id).status_code == status


def test_jobs_their_seeds_and_their_bytes_outlive_the_process(tmp_path: Path) -> None:
    with live_sandbox(data_dir=tmp_path) as sandbox:
        done = create(sandbox)
        before = result(sandbox, done)
        sandbox.arm("create", "stuck", provider="stable-video")
        stuck = create(sandbox)
        jobs = sandbox.jobs()
    with live_sandbox(data_dir=tmp_path) as sandbox:
        assert sandbox.jobs() == jobs
        after = result(sandbox, done)
        assert (after.headers["seed"], after.content) == (before.headers["seed"], before.content)
        assert result(sandbox, stuck).status_code == 202
