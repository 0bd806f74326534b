"""Pictures from the command line, against a real service."""

import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.cli.pretend_api import HANG_UP, ID, Answer, generation, problem, serving
from tests.cli.real import videoplanet
from tests.stack import Stack


@pytest.fixture
def sun(tmp_path: Path) -> Path:
    """A picture on the disk; each test has another one, as the same is the same to the service."""
    picture = Image.new("RGB", (640, 400), (30, 90, 140))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((220, 100, 420, 300), fill=(240, 180, 60))
    draw.text((10, 10), str(tmp_path), fill=(255, 255, 255))
    file = tmp_path / "the sun.png"
    picture.save(file)
    return file


async def test_an_uploaded_picture_is_shown_and_deleted(stack: Stack, sun: Path) -> None:
    image_id = (await videoplanet(stack, "images", "upload", str(sun))).output.strip()
    again = (await videoplanet(stack, "images", "upload", str(sun), "--json")).document
    assert (again["id"], again["source_type"]) == (image_id, "image/png")
    shown = await videoplanet(stack, "images", "show", image_id)
    assert "640x400" in shown.output
    assert f"{stack.api_url}/v1/images/{image_id}/file" in shown.output
    assert f"{image_id} is deleted" in (await videoplanet(stack, "images", "delete", image_id)).output
    gone = await videoplanet(stack, "images", "show", image_id)
    assert (gone.code, gone.output) == (2, "")
    assert "no picture of this id" in gone.notes


async def test_what_is_no_picture_is_refused_in_a_sentence(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "words.png"
    file.write_text("no picture")
    refused = await videoplanet(stack, "images", "upload", str(file))
    assert refused.code == 2
    assert "/file: " in refused.notes
    assert "JPEG, PNG and WebP" in refused.notes


async def test_a_file_that_is_far_too_large_is_refused_at_once(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "large.png"
    file.write_bytes(bytes(22 * 1024 * 1024))
    refused = await videoplanet(stack, "images", "upload", str(file))
    assert refused.code == 2
    assert "bytes at most" in refused.notes
    assert "trying again" not in refused.notes


async def test_a_file_becomes_the_first_frame_and_what_is_adjusted_is_told(stack: Stack, sun: Path) -> None:
    ordered = await videoplanet(
        stack, "generate", "The sun rises", "--image", str(sun), "--provider", "seedance", "--duration", "4",
        "--camera", "pan=0.5", "--style", "cinematic:0.9", "--negative", "people", "--extra", "watermark=true",
    )  # fmt: skip
    assert ordered.code == 0, ordered.notes
    adjusted = [line for line in ordered.output.splitlines() if "adjusted: " in line]
    assert len(adjusted) == 4
    assert "the prompt says: The camera pans right." in adjusted[0]
    assert "The picture is" in adjusted[3]
    generation_id = next(word for word in ordered.output.split() if word.startswith("gen_"))
    shown = (await videoplanet(stack, "show", generation_id, "--json")).document
    request = shown["takes"][0]["request"]
    assert request["mode"] == "image_to_video"
    assert request["params"]["extra"] == {"watermark": True}
    assert shown["status"] == "completed"


async def test_an_order_with_a_picture_that_is_not_there_names_the_field(stack: Stack) -> None:
    refused = await videoplanet(stack, "generate", "x", "--image", "img_" + "0" * 32)
    assert refused.code == 2
    assert "/params/image_id: " in refused.notes


async def test_the_refusal_of_an_option_names_it(stack: Stack) -> None:
    refused = await videoplanet(stack, "generate", "x", "--provider", "runway", "--extra", "wings=2")
    assert refused.code == 2
    assert "/params/extra/wings: gen4.5 has no option 'wings'" in refused.notes
    assert "allowed: public_figure_threshold" in refused.notes


async def test_an_upload_that_breaks_off_is_sent_again_before_the_order(stack: Stack, sun: Path) -> None:
    image_id = "img_" + "a" * 32
    with serving() as script:
        script.on(
            "POST", "/v1/images", HANG_UP, Answer(503, problem(503, "away")), Answer(201, {"id": image_id})
        )
        script.on("POST", "/v1/generations", Answer(202, generation("pending")))
        elsewhere = Stack.__new__(Stack)
        elsewhere.environment, elsewhere.api_url = stack.environment, script.url
        ended = await videoplanet(elsewhere, "generate", "x", "--image", str(sun), "--no-wait", "--json")
    assert json.loads(ended.output)["id"] == ID
    assert [heard.path for heard in script.heard] == ["/v1/images"] * 3 + ["/v1/generations"]
    assert script.heard[-1].body["params"] == {"image_id": image_id}
