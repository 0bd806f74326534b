"""What Seedance takes and refuses: fields per model, sizes and prices, old flags in the text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from tests.sandbox.live import LiveSandbox
from tests.sandbox.playback import play
from tests.sandbox.seedance_client import (
    LITE_T2V,
    PRO,
    PRO_15,
    PRO_FAST,
    TASKS,
    TWO,
    TWO_AND_A_HALF,
    TWO_FAST,
    TWO_MINI,
    Seedance,
    seedance_at,
    text,
)

INVALID = "InvalidParameter"
MISSING = "MissingParameter"


@pytest.fixture
def seedance(sandbox: LiveSandbox) -> Iterator[Seedance]:
    with seedance_at(sandbox) as made:
        yield made


@pytest.mark.parametrize(
    ("model", "fields", "size", "usd"),
    [
        (LITE_T2V, {"resolution": "480p", "duration": 2}, (864, 480), 0.035721),
        (PRO, {"resolution": "720p", "ratio": "4:3", "duration": 2}, (1120, 832), 0.111475),
        (PRO, {"resolution": None, "duration": 2}, (1920, 1088), 0.2499),
        (PRO_FAST, {"resolution": "480p", "duration": 2}, (864, 480), 0.013891),
        (PRO_15, {"resolution": None, "generate_audio": False, "duration": 4}, (1280, 720), 0.10476),
        (TWO, {"resolution": "1080p", "ratio": "21:9", "duration": 4}, (2206, 946), 1.383774),
        (TWO, {"resolution": "4k", "ratio": "1:1", "duration": 4}, (2880, 2880), 5.4999),
        (TWO_FAST, {"resolution": "720p", "ratio": "9:16", "duration": 4}, (720, 1280), 0.48888),
        (TWO_MINI, {"resolution": "480p", "ratio": "3:4", "duration": 4}, (560, 752), 0.223389),
        (TWO_AND_A_HALF, {"resolution": "480p", "duration": 5}, (854, 480), 0.518275),
    ],
)
def test_each_model_has_its_sizes_and_its_price(
    seedance: Seedance, model: str, fields: dict[str, JsonValue], size: tuple[int, int], usd: float
) -> None:
    task = seedance.made(model=model, **fields)
    assert task["status"] == "succeeded"
    width, height = size
    frames = 24 * task["duration"] + 1
    assert task["usage"]["total_tokens"] == width * height * frames // 1024
    assert seedance.sandbox.jobs()[0]["billed_usd"] == usd


def test_the_video_is_as_large_as_the_table_says(seedance: Seedance) -> None:
    task = seedance.made(model=TWO, resolution="480p", ratio="21:9", duration=4)
    seen = play(seedance.sandbox.control.get(task["content"]["video_url"]).content)
    assert (seen.width, seen.height, seen.seconds) == (992, 432, 4.0)


def test_flex_is_half_the_price(seedance: Seedance) -> None:
    for tier in ("default", "flex"):
        seedance.made(service_tier=tier)
    whole, half = (job["billed_usd"] for job in seedance.sandbox.jobs())
    assert half == pytest.approx(whole / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"duration": 13}, "duration"),
        ({"duration": 1}, "duration"),
        ({"duration": -1}, "duration"),
        ({"duration": "5"}, "duration"),
        ({"duration": 5.5}, "duration"),
        ({"duration": True}, "duration"),
        ({"model": PRO_15, "duration": 3}, "duration"),
        ({"model": TWO, "duration": 16}, "duration"),
        ({"model": TWO_AND_A_HALF, "duration": 31}, "duration"),
        ({"resolution": "4k"}, "resolution"),
        ({"model": TWO_FAST, "resolution": "1080p"}, "resolution"),
        ({"model": TWO, "resolution": "720P"}, "resolution"),
        ({"ratio": "16:10"}, "ratio"),
        ({"ratio": "adaptive"}, "ratio"),
        ({"seed": -2}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"frames": 30}, "frames"),
        ({"frames": 293}, "frames"),
        ({"model": PRO_15, "frames": 29}, "frames"),
        ({"generate_audio": True}, "generate_audio"),
        ({"model": TWO, "generate_audio": "yes"}, "generate_audio"),
        ({"model": TWO, "camera_fixed": False}, "camera_fixed"),
        ({"model": TWO_FAST, "camera_fixed": True}, "camera_fixed"),
        ({"watermark": 1}, "watermark"),
        ({"model": TWO, "draft": True}, "draft"),
        ({"model": PRO_15, "draft": True, "resolution": "720p"}, "resolution"),
        ({"service_tier": "fast"}, "service_tier"),
        ({"model": TWO, "service_tier": "flex"}, "service_tier"),
        ({"execution_expires_after": 3599}, "execution_expires_after"),
        ({"priority": 10}, "priority"),
        ({"safety_identifier": "x" * 65}, "safety_identifier"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"model": TWO_AND_A_HALF, "output_format": "mov"}, "output_format"),
        ({"model": TWO, "output_format": "mp4"}, "output_format"),
        ({"callback_url": "http://example.com/hook"}, "callback_url"),
        ({"callback_url": "https://127.0.0.1/hook"}, "callback_url"),
        ({"callback_url": "nonsense"}, "callback_url"),
        ({"model": 5}, "model"),
        ({"content": "a cat"}, "content"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    seedance: Seedance, fields: dict[str, JsonValue], param: str
) -> None:
    assert seedance.refusal(**fields) == (400, INVALID, param)
    assert seedance.sandbox.jobs() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"model": PRO_15, "duration": -1},
        {"model": TWO, "duration": 15.0, "generate_audio": False},
        {"model": TWO_MINI, "camera_fixed": True},
        {"model": TWO_AND_A_HALF, "duration": 30, "output_format": "mp4", "omni_reference_task_type": "edit"},
        {"model": TWO, "priority": 9, "tools": [{"type": "web_search"}], "ratio": "adaptive"},
        {"model": "doubao-seedance-2-0-260128"},
        {"model": "doubao-seedance-1-0-pro-250528"},
        {"framespersecond": 60, "fields_of_tomorrow": 1},
        {"watermark": True, "return_last_frame": True, "camera_fixed": True},
        {"callback_url": "http://localhost:1/hook"},
        {"callback_url": "http://[::1]:1/hook"},
    ],
)
def test_what_is_allowed_makes_a_task(seedance: Seedance, fields: dict[str, JsonValue]) -> None:
    seedance.create(**fields)


def test_null_is_as_good_as_nothing(seedance: Seedance) -> None:
    names = ("resolution", "ratio", "duration", "frames", "seed", "camera_fixed", "generate_audio", "tools")
    part: JsonValue = {"type": "text", "text": "A cat", "role": None, "image_url": None}
    task = seedance.task(seedance.create(part, **dict.fromkeys(names)))
    assert (task["resolution"], task["ratio"], task["duration"]) == ("1080p", "16:9", 5)
    assert seedance.refusal(model=None) == (400, MISSING, "model")
    assert seedance.order(content=None).json()["error"]["code"] == MISSING


def test_of_two_wrong_parameters_one_is_named(seedance: Seedance) -> None:
    assert {seedance.refusal(duration=1, seed=-2)[2] for _ in range(40)} == {"duration", "seed"}


@pytest.mark.parametrize(
    "model", ["gen4.5", "dreamina-seedance-1-0-pro-250528", "seedance-2-0-260128", "ep-1"]
)
def test_an_unknown_model_is_not_found(seedance: Seedance, model: str) -> None:
    assert seedance.refusal(model=model) == (404, "InvalidEndpoint.NotFound", "model")


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"model": NaN}'])
def test_what_is_no_json_object_is_refused(seedance: Seedance, body: bytes) -> None:
    assert seedance.ark.post(TASKS, content=body).json()["error"]["code"] == INVALID


def test_frames_win_over_the_duration(seedance: Seedance) -> None:
    task = seedance.made(frames=57, duration=10)
    assert (task["frames"], "duration" in task) == (57, False)
    assert task["usage"]["total_tokens"] == 864 * 480 * 57 // 1024
    assert play(seedance.sandbox.control.get(task["content"]["video_url"]).content).frames == 57


def test_flags_at_the_end_of_the_text_are_read(seedance: Seedance) -> None:
    flags = "--rs 720p --ratio 9:16 --dur 3 --fps 24 --wm true --seed 11 --cf false"
    task = seedance.task(seedance.create(text(f"A cat --yawns {flags}"), resolution=None))
    assert (task["resolution"], task["ratio"], task["duration"], task["seed"]) == ("720p", "9:16", 3, 11)


def test_a_field_wins_over_a_flag(seedance: Seedance) -> None:
    task = seedance.task(seedance.create(text("A cat --dur 3 --ratio 1:1"), duration=4))
    assert (task["duration"], task["ratio"]) == (4, "1:1")


@pytest.mark.parametrize(
    ("flag", "param"),
    [("--dur 99", "duration"), ("--wm maybe", "watermark"), ("--fps 30", "framespersecond")],
)
def test_a_wrong_flag_is_refused_like_a_wrong_field(seedance: Seedance, flag: str, param: str) -> None:
    assert seedance.refusal(text(f"A cat {flag}")) == (400, INVALID, param)


def test_a_flag_that_is_not_at_the_end_is_text(seedance: Seedance) -> None:
    assert seedance.task(seedance.create(text("--dur 3 A cat")))["duration"] == 5
