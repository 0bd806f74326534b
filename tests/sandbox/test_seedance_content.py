"""The content of a Seedance request: its parts, their roles, and pictures that are really decoded."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from tests.sandbox.live import LiveSandbox
from tests.sandbox.seedance_client import (
    LITE_I2V,
    LITE_T2V,
    PRO,
    PRO_15,
    PRO_FAST,
    TWO,
    TWO_AND_A_HALF,
    Seedance,
    image,
    picture,
    seedance_at,
    text,
)

FAR = "https://example.com/picture.png"
SOUND: JsonValue = {"type": "audio_url", "audio_url": {"url": "https://example.com/a.mp3"}}
VIDEO: JsonValue = {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}
INVALID = "InvalidParameter"
MISSING = "MissingParameter"


@pytest.fixture
def seedance(sandbox: LiveSandbox) -> Iterator[Seedance]:
    with seedance_at(sandbox) as made:
        yield made


@pytest.mark.parametrize(
    ("model", "content", "code", "param"),
    [
        (PRO, [], MISSING, "content"),
        (PRO, ["a cat"], INVALID, "content[0]"),
        (PRO, [{"text": "a cat"}], MISSING, "content[0].type"),
        (PRO, [{"type": "poem"}], INVALID, "content[0].type"),
        (PRO, [{"type": "text"}], MISSING, "content[0].text"),
        (PRO, [text(), {"type": "image_url", "image_url": FAR}], INVALID, "content[1].image_url"),
        (PRO, [text(), {"type": "image_url", "image_url": {}}], MISSING, "content[1].image_url"),
        (PRO, [image(FAR, "hero")], INVALID, "content[0].role"),
        (PRO, [image("ftp://example.com/a.png")], INVALID, "content[0].image_url"),
        (PRO, [image(FAR, "first_frame"), image(FAR)], MISSING, "content[1].role"),
        (PRO, [image(FAR, "first_frame"), image(FAR, "first_frame")], INVALID, "content"),
        (PRO, [image(FAR, "last_frame")], INVALID, "content"),
        (PRO, [image(FAR, "reference_image")], INVALID, "content"),
        (PRO_FAST, [image(FAR, "first_frame"), image(FAR, "last_frame")], INVALID, "content"),
        (PRO_15, [VIDEO], INVALID, "content"),
        (LITE_T2V, [text(), image(FAR)], INVALID, "content"),
        (LITE_I2V, [text()], MISSING, "content"),
        (LITE_I2V, [image(FAR, "reference_image")] * 5, INVALID, "content"),
        (TWO, [image(FAR, "first_frame"), image(FAR, "reference_image")], INVALID, "content"),
        (TWO, [image(FAR, "first_frame"), VIDEO], INVALID, "content"),
        (TWO, [image(FAR, "reference_image")] * 10, INVALID, "content"),
        (TWO, [SOUND], INVALID, "content"),
        (TWO, [{"type": "draft_task", "draft_task": {"id": "cgt-1"}}], INVALID, "content[0].draft_task"),
    ],
)
def test_content_that_does_not_fit_is_refused(
    seedance: Seedance, model: str, content: list[JsonValue], code: str, param: str
) -> None:
    assert seedance.refusal(model=model, content=content) == (400, code, param)


@pytest.mark.parametrize(
    ("model", "content"),
    [
        (PRO, [image(FAR)]),
        (PRO, [text(), image(FAR, "last_frame"), image(FAR, "first_frame")]),
        (LITE_I2V, [image("asset://a", "reference_image")] * 4),
        (TWO, [text(), image(FAR, "reference_image"), VIDEO, SOUND]),
        (TWO_AND_A_HALF, [image(FAR, "reference_image")] * 30),
        (TWO_AND_A_HALF, [SOUND]),
    ],
)
def test_content_that_fits_makes_a_task(seedance: Seedance, model: str, content: list[JsonValue]) -> None:
    seedance.create(*content, model=model)


def test_the_reference_mode_of_lite_has_no_1080p(seedance: Seedance) -> None:
    reference = image(FAR, "reference_image")
    assert seedance.refusal(reference, model=LITE_I2V, resolution="1080p") == (400, INVALID, "resolution")
    seedance.create(image(FAR), model=LITE_I2V, resolution="1080p")


@pytest.mark.parametrize(
    "url",
    [
        picture(299, 400),
        picture(6001, 5000),
        picture(1000, 399),
        picture(300, 751),
        picture()[:-400],
        picture().replace("png", "PNG"),
        picture().replace("image/png", "text/plain"),
        picture().replace("png", "svg+xml"),
        "data:image/png;base64,????",
        "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(),
        "data:image/png;base64," + base64.b64encode(bytes(30 * 1024 * 1024)).decode(),
    ],
    ids=lambda url: url[:30],
)
def test_an_image_that_is_none_or_does_not_fit_is_refused(seedance: Seedance, url: str) -> None:
    assert seedance.refusal(image(url)) == (400, INVALID, "content[0].image_url")


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "bmp", "tiff", "gif"])
def test_an_image_of_each_kind_is_taken(seedance: Seedance, kind: str) -> None:
    seedance.create(image(picture(300, 750, kind)))


@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        ((640, 480), "4:3"),
        ((400, 400), "1:1"),
        ((450, 800), "9:16"),
        ((1000, 400), "21:9"),
        ((310, 410), "3:4"),
    ],
)
def test_without_a_ratio_the_video_follows_the_first_frame(
    seedance: Seedance, size: tuple[int, int], ratio: str
) -> None:
    frames = [image(picture(), "last_frame"), image(picture(*size), "first_frame")]
    assert seedance.task(seedance.create(*frames))["ratio"] == ratio
    assert seedance.task(seedance.create(*frames, ratio="adaptive"))["ratio"] == ratio
    assert seedance.task(seedance.create(*frames, ratio="16:9"))["ratio"] == "16:9"


def test_the_latest_model_takes_no_ratio_beside_a_first_frame(seedance: Seedance) -> None:
    frame = image(picture(400, 400))
    assert seedance.refusal(frame, model=TWO_AND_A_HALF, ratio="1:1") == (400, INVALID, "ratio")
    assert seedance.task(seedance.create(frame, model=TWO_AND_A_HALF))["ratio"] == "1:1"
    seedance.create(image(FAR, "reference_image"), model=TWO_AND_A_HALF, ratio="1:1")
