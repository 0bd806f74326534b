"""What Stable Video's form takes and what it refuses: fields, pictures, bodies."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.wires.stable_video.requests import MAX_BODY_BYTES
from tests.sandbox.live import LiveSandbox
from tests.sandbox.test_stability_wire import KEY, MOST_SEED, PATH, create, errors, order, picture


def claiming(width: int, height: int) -> bytes:
    """A small picture whose header says that it is of this size."""
    header = b"IHDR" + struct.pack(">II", width, height) + picture()[24:29]
    return picture()[:12] + header + struct.pack(">I", zlib.crc32(header)) + picture()[33:]


@pytest.mark.parametrize(
    "fields",
    [
        {"seed": str(MOST_SEED)},
        {"cfg_scale": "0"},
        {"cfg_scale": "10.0"},
        {"motion_bucket_id": "1"},
        {"motion_bucket_id": "255"},
        {"colour": "red", "prompt": "[sandbox:status=503]"},
    ],
)
def test_what_the_contract_allows_and_what_it_does_not_name_is_taken(
    sandbox: LiveSandbox, fields: dict[str, str]
) -> None:
    create(sandbox, fields)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", str(MOST_SEED + 1)),
        ("seed", "-1"),
        ("seed", "7.0"),
        ("seed", ""),
        ("seed", "\u0667"),
        ("cfg_scale", "10.01"),
        ("cfg_scale", "-0.1"),
        ("cfg_scale", "nan"),
        ("cfg_scale", "1e1"),
        ("motion_bucket_id", "0"),
        ("motion_bucket_id", "256"),
        ("motion_bucket_id", "12.5"),
    ],
)
def test_a_bad_field_is_refused_by_name(sandbox: LiveSandbox, field: str, value: str) -> None:
    (error,) = errors(order(sandbox, {field: value}), 400, "bad_request")
    assert error.startswith(f"{field}: must be a")
    assert sandbox.jobs() == []


def test_all_that_is_wrong_is_said_at_once(sandbox: LiveSandbox) -> None:
    answer = order(sandbox, {"seed": "x", "motion_bucket_id": "999"}, image=b"no picture")
    named = [error.partition(":")[0] for error in errors(answer, 400, "bad_request")]
    assert named == ["image", "seed", "motion_bucket_id"]


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"no picture",
        picture(kind="WEBP"),
        picture(kind="GIF"),
        picture()[: len(picture()) // 2],
        picture(kind="JPEG")[:-2000],
        picture(768, 767),
        picture(576, 768),
        picture(1024, 1024, "JPEG"),
        claiming(12_000, 12_000),
        claiming(65_535, 65_535),
    ],
    ids=["empty", "text", "webp", "gif", "half-png", "cut-jpeg", "short", "mixed", "large", "huge", "bomb"],
)
def test_a_picture_that_is_none_or_of_another_size_is_refused(sandbox: LiveSandbox, image: bytes) -> None:
    (error,) = errors(order(sandbox, image=image), 400, "bad_request")
    assert error.startswith("image: must be")
    assert sandbox.jobs() == []


@pytest.mark.parametrize(
    "body",
    [
        {"files": {"picture": picture()}},
        {"files": {"image": (None, "just text")}},
        {"data": {"image": "aGk="}},
        {"json": {"image": "aGk="}},
        {"content": b""},
        {"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"nonsense", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"files": [("image", picture()), *[("file", b"x")] * 64]},
        {"files": {"image": picture(), "ignored": (None, "7" * 100_000)}},
    ],
    ids=["none", "text", "urlencoded", "json", "empty", "no-boundary", "nonsense", "parts", "long"],
)
def test_a_body_that_is_no_such_form_is_refused(sandbox: LiveSandbox, body: dict[str, Any]) -> None:
    body = {**body, "headers": {**KEY, **body.get("headers", {})}}
    assert len(errors(sandbox.control.post(PATH, **body), 400, "bad_request")) == 1
    assert sandbox.jobs() == []


def test_ten_megabytes_are_taken_and_not_a_byte_more(sandbox: LiveSandbox) -> None:
    def padded(size: int) -> httpx.Request:
        def built(padding: int) -> httpx.Request:
            files = {"image": picture(), "ignored": bytes(padding)}
            return sandbox.control.build_request("POST", PATH, headers=KEY, files=files)

        return built(size - int(built(0).headers["content-length"]))

    assert sandbox.control.send(padded(MAX_BODY_BYTES)).status_code == 200
    errors(sandbox.control.send(padded(MAX_BODY_BYTES + 1)), 413, "payload_too_large")
    assert len(sandbox.jobs()) == 1


def test_a_body_that_does_not_say_its_size_is_read_no_further_than_the_limit(sandbox: LiveSandbox) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 2**20 * 3):
            yield bytes(2**20)

    answer = sandbox.control.post(PATH, headers=KEY, content=pieces())
    errors(answer, 413, "payload_too_large")
    create(sandbox)
