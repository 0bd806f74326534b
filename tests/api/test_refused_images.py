"""What is no picture, or not sent as one, is refused by name, and the connection lives on."""

import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from api.guards import MAX_BODY_BYTES, MAX_UPLOAD_BYTES
from api.pictures.taking_in import MAX_IMAGE_BYTES
from tests.api.pictures import send, solid
from tests.api.refusals import JSON, errors_of, problem_of
from tests.stack import Stack
from tests.storage.pictures import corners, encoded, noise

PNG = encoded(corners(), "PNG")
JPEG = encoded(noise(), "JPEG")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"><rect width="9" height="9"/></svg>'
UNUSABLE = {
    "nothing": (b"", "not_a_picture"),
    "a text": (b"A red fox in the snow", "not_a_picture"),
    "a GIF": (encoded(corners(), "GIF"), "not_a_picture"),
    "an SVG": (SVG, "not_a_picture"),
    "a BMP": (encoded(corners(), "BMP"), "not_a_picture"),
    "a moving WebP": (
        encoded(corners(), "WEBP", save_all=True, append_images=[corners().rotate(180)]),
        "not_a_picture",
    ),
    "only a beginning": (PNG[:8], "picture_damaged"),
    "half a PNG": (PNG[: len(PNG) // 2], "picture_damaged"),
    "a JPEG without its end": (JPEG[:-200], "picture_damaged"),
    "too small": (encoded(corners(127, 400), "PNG"), "picture_too_small"),
    "too wide": (encoded(corners(8193, 200), "PNG"), "picture_too_large"),
    "too many pixels": (encoded(corners(8000, 6000), "PNG"), "picture_too_large"),
}
FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
BROKEN_FORMS = {
    "no boundary": ("multipart/form-data", PART + PNG + b"\r\n--x--\r\n"),
    "another boundary": (FORM, PART.replace(b"--x", b"--y") + PNG + b"\r\n--y--\r\n"),
    "no form at all": (FORM, b"A red fox"),
    "a header without end": (FORM, b"--x\r\nContent-Disposition: form-data; " + b"a" * 20_000),
    "a part without a name": (FORM, b"--x\r\nContent-Disposition: form-data\r\n\r\nfox\r\n--x--\r\n"),
}


@pytest.mark.parametrize(("content", "code"), UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_what_is_no_picture_is_refused_with_the_reason(api: Stack, content: bytes, code: str) -> None:
    error = errors_of(await send(api, content), code="unusable_image")["/file"]
    assert error["code"] == code
    assert len(error["message"]) > 10


async def test_a_small_file_that_unpacks_to_much_is_refused(api: Stack) -> None:
    """A bomb: its header promises more pixels than anyone needs."""
    header = (60_000).to_bytes(4) + (60_000).to_bytes(4) + b"\x08\x02\x00\x00\x00"
    bomb = PNG[:8] + _chunk(b"IHDR", header) + PNG[33:]
    assert errors_of(await send(api, bomb), code="unusable_image")["/file"]["code"] == "picture_too_large"


async def test_a_form_without_a_picture_is_refused_with_the_name_of_the_field(api: Stack) -> None:
    answer = await api.http.post("/v1/images", data={"title": "fox"}, files={"x": b""})
    assert errors_of(answer)["/file"]["code"] == "missing"
    empty = await api.http.post("/v1/images", content=b"--x--\r\n", headers={"Content-Type": FORM})
    assert errors_of(empty)["/file"]["code"] == "missing"


@pytest.mark.parametrize("field", ["image", "File", "files[]", "picture"])
async def test_a_picture_in_another_field_is_not_found(api: Stack, field: str) -> None:
    assert "/file" in errors_of(await send(api, PNG, field=field))


async def test_a_field_that_is_no_file_is_refused(api: Stack) -> None:
    answer = await api.http.post("/v1/images", files={"file": (None, "A red fox")})
    assert "/file" in errors_of(answer)


async def test_two_pictures_at_once_are_refused(api: Stack) -> None:
    both = [("file", ("a.png", PNG, "image/png")), ("file", ("b.png", solid((9, 9, 9)), "image/png"))]
    assert errors_of(await api.http.post("/v1/images", files=both))["/file"]["code"] == "too_many"


async def test_a_field_beside_the_picture_is_refused_by_its_name(api: Stack) -> None:
    beside = {"file": ("a.png", PNG, "image/png"), "alt~text/1": ("b.png", PNG, "image/png")}
    for answer in (
        await api.http.post("/v1/images", files={"file": beside["file"]}, data={"alt~text/1": "A fox"}),
        await api.http.post("/v1/images", files=beside),
    ):
        assert list(errors_of(answer)) == ["/alt~0text~11"]


@pytest.mark.parametrize("content", [b'{"file": "fox.png"}', b"[]", PNG], ids=["object", "list", "png"])
@pytest.mark.parametrize("media_type", ["application/json", "image/png", "text/plain"])
async def test_a_picture_that_is_not_sent_as_a_form_is_refused_and_told_how(
    api: Stack, content: bytes, media_type: str
) -> None:
    answer = await api.http.post("/v1/images", content=content, headers={"Content-Type": media_type})
    assert "/file" in errors_of(answer)


@pytest.mark.parametrize(("media_type", "body"), BROKEN_FORMS.values(), ids=BROKEN_FORMS.keys())
async def test_a_form_that_cannot_be_read_is_refused(api: Stack, media_type: str, body: bytes) -> None:
    answer = await api.http.post("/v1/images", content=body, headers={"Content-Type": media_type})
    assert answer.status_code in {400, 422}, answer.text
    problem_of(answer, answer.status_code, {400: "invalid_form", 422: "invalid_request"}[answer.status_code])


async def test_a_picture_of_20_mib_is_looked_at_and_a_larger_upload_is_not(api: Stack) -> None:
    assert errors_of(await send(api, bytes(MAX_IMAGE_BYTES)), code="unusable_image")
    for size in (MAX_IMAGE_BYTES + 1, MAX_UPLOAD_BYTES, 2 * MAX_UPLOAD_BYTES):
        problem_of(await send(api, bytes(size)), 413, "body_too_large")


async def test_a_picture_just_below_the_limit_is_taken_in(api: Stack) -> None:
    picture = PNG[:-12] + _chunk(b"prVt", bytes(MAX_IMAGE_BYTES - len(PNG) - 12)) + PNG[-12:]
    assert len(picture) == MAX_IMAGE_BYTES == 20 * 1024**2
    assert (await send(api, picture)).status_code in {200, 201}


async def test_an_upload_over_the_limit_is_413_even_if_it_does_not_say_its_length(api: Stack) -> None:
    async def drops() -> AsyncIterator[bytes]:
        yield PART
        for _ in range(MAX_UPLOAD_BYTES // 65_536 + 1):
            yield bytes(65_536)
        yield b"\r\n--x--\r\n"

    answer = await api.http.post("/v1/images", content=drops(), headers={"Content-Type": FORM})
    document = problem_of(answer, 413, "body_too_large")
    assert str(MAX_UPLOAD_BYTES) in document["detail"]


async def test_the_connection_is_fine_after_an_upload_that_was_too_large(api: Stack) -> None:
    one = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(base_url=api.api_url, limits=one, trust_env=False, timeout=30) as client:
        for _ in range(2):
            files = {"file": ("a.png", bytes(MAX_UPLOAD_BYTES), "image/png")}
            problem_of(await client.post("/v1/images", files=files), 413, "body_too_large")
            taken = await client.post("/v1/images", files={"file": ("a.png", PNG, "image/png")})
            assert taken.status_code in {200, 201}
            assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    "path", ["/v1/generations", "/v1/images/img_0", "/v1/images/x/file", "/v1/Images", "/v1/images2"]
)
async def test_only_uploads_may_be_large(api: Stack, path: str) -> None:
    answer = await api.http.post(path, content=b" " * (MAX_BODY_BYTES + 1), headers=JSON)
    assert str(MAX_BODY_BYTES) in problem_of(answer, 413, "body_too_large")["detail"]


def _chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)
