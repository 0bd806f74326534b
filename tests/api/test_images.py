"""Uploading pictures: what is kept of them, how they are fetched, and how they go."""

import asyncio
import io
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from tests.api.pictures import KINDS, send, solid, uploaded
from tests.api.refusals import problem_of
from tests.stack import Stack
from tests.storage.pictures import BLUE, GREEN, RED, YELLOW, corners, decoded, encoded, quarters


def with_a_place(kind: str) -> bytes:
    """A picture that says where it was taken, by whom, and who owns it."""
    exif = Image.Exif()
    exif[0x010E] = "the secret garden"
    exif[0x013B] = "A Photographer"
    exif.get_ifd(0x8825)[1] = "N"
    picture = corners(410, 300)
    options: dict[str, object] = {"exif": exif}
    if kind == "JPEG":
        options |= {"comment": b"the secret comment", "quality": 95}
    return encoded(picture, kind, **options)


def files_of(api: Stack, sha256: str) -> list[Path]:
    return [path for path in (api.data_dir / "assets").rglob("*") if sha256 in path.name]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_picture_is_taken_in_once_and_known_by_its_content(api: Stack, kind: str) -> None:
    content = encoded(corners(300 + len(kind), 210), kind)
    first = await send(api, content)
    assert first.status_code == 201, first.text
    facts = first.json()
    assert facts["id"].startswith("img_")
    assert (facts["width"], facts["height"]) == (300 + len(kind), 210)
    assert facts["source_type"] == KINDS[kind]
    assert first.headers["location"] == f"/v1/images/{facts['id']}"
    assert datetime.fromisoformat(facts["created_at"]).tzinfo is not None
    again = await send(api, content, name="another name.gif", media_type="text/html")
    assert (again.status_code, again.json()) == (200, facts)
    assert (await api.http.get(first.headers["location"])).json() == facts


async def test_the_kept_file_is_a_plain_jpeg_of_the_same_picture(api: Stack) -> None:
    facts = (await send(api, encoded(corners(), "PNG"))).json()
    answer = await api.http.get(facts["url"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert len(answer.content) == facts["size_bytes"] == int(answer.headers["content-length"])
    assert "immutable" in answer.headers["cache-control"]
    seen = quarters(decoded(answer.content))
    for shown, meant in zip(seen, (RED, GREEN, BLUE, YELLOW), strict=True):
        assert all(abs(one - other) < 16 for one, other in zip(shown, meant, strict=True))


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_kept_but_the_picture(api: Stack, kind: str) -> None:
    content = with_a_place(kind)
    assert b"secret" in content
    facts = (await send(api, content)).json()
    kept = (await api.http.get(facts["url"])).content
    assert b"secret" not in kept
    assert b"Photographer" not in kept
    with Image.open(io.BytesIO(kept)) as picture:
        assert dict(picture.getexif()) == {}
        assert "comment" not in picture.info


async def test_a_picture_that_lies_on_its_side_is_kept_upright(api: Stack) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    facts = (await send(api, encoded(corners(320, 200), "JPEG", exif=exif, quality=95))).json()
    assert (facts["width"], facts["height"]) == (200, 320)


async def test_a_reader_that_has_the_picture_is_told_so(api: Stack) -> None:
    facts = (await send(api, encoded(corners(), "PNG"))).json()
    head = await api.http.head(facts["url"])
    assert (head.status_code, head.content) == (200, b"")
    etag = head.headers["etag"]
    assert etag == f'"{facts["sha256"]}"'
    assert head.headers["content-length"] == str(facts["size_bytes"])
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await api.http.get(facts["url"], headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
    other = await api.http.get(facts["url"], headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


async def test_a_part_of_a_picture_is_exactly_that_part(api: Stack) -> None:
    facts = (await send(api, encoded(corners(), "PNG"))).json()
    answer = await api.http.get(facts["url"], headers={"Range": "bytes=2-9"})
    assert (answer.status_code, len(answer.content)) == (206, 8)


async def test_a_deleted_picture_is_gone_with_its_file(api: Stack) -> None:
    facts = (await send(api, solid((1, 200, 200)))).json()
    assert files_of(api, facts["sha256"])
    path = f"/v1/images/{facts['id']}"
    answer = await api.http.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert not files_of(api, facts["sha256"])
    problem_of(await api.http.get(path), 404, "not_found")
    problem_of(await api.http.get(facts["url"]), 404, "not_found")
    problem_of(await api.http.delete(path), 404, "not_found")


async def test_a_deleted_picture_can_be_uploaded_again(api: Stack) -> None:
    content = solid((2, 200, 200))
    first = await uploaded(api, content)
    await api.http.delete(f"/v1/images/{first}")
    answer = await send(api, content)
    assert (answer.status_code, answer.json()["id"]) == (201, first)
    assert (await api.http.get(answer.json()["url"])).status_code == 200


async def test_many_uploads_at_once_are_all_taken_in(api: Stack) -> None:
    pictures = [solid((0, shade, 0)) for shade in range(0, 250, 25)]
    answers = await asyncio.gather(*(send(api, picture) for picture in pictures * 2))
    assert {answer.status_code for answer in answers} <= {200, 201}
    ids = [answer.json()["id"] for answer in answers]
    assert len(set(ids)) == len(pictures)
    assert ids[: len(pictures)] == ids[len(pictures) :]
    for image_id in set(ids):
        assert (await api.http.get(f"/v1/images/{image_id}/file")).status_code == 200


async def test_more_uploads_than_can_wait_are_asked_to_come_again(api: Stack) -> None:
    answers = await asyncio.gather(*(send(api, solid((9, 9, 9))) for _ in range(60)))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.status_code for answer in answers} <= {200, 201, 503}
    assert {answer.headers["retry-after"] for answer in refused} <= {"5"}
    assert len(answers) - len(refused) >= 32


async def test_the_service_answers_others_while_it_takes_pictures_in(api: Stack) -> None:
    uploads = asyncio.gather(*(send(api, solid((shade, 0, 0), 3000, 2000)) for shade in range(0, 200, 40)))
    answered = 0
    while not uploads.done():
        assert (await api.http.get("/healthz", timeout=5)).status_code == 200
        answered += 1
    assert {answer.status_code for answer in await uploads} == {201}
    assert answered > 10


async def test_uploads_and_deletes_at_once_never_leave_a_picture_without_its_file(api: Stack) -> None:
    content = solid((3, 200, 200))

    async def upload() -> int:
        return (await send(api, content)).status_code

    async def remove(image_id: str) -> int:
        return (await api.http.delete(f"/v1/images/{image_id}")).status_code

    taken = (await send(api, content)).json()
    image_id, sha256 = taken["id"], taken["sha256"]
    answers = await asyncio.gather(*(upload() if turn % 2 else remove(image_id) for turn in range(12)))
    assert set(answers) <= {200, 201, 204, 404}
    facts = await api.http.get(f"/v1/images/{image_id}")
    file = await api.http.get(f"/v1/images/{image_id}/file")
    assert facts.status_code == file.status_code
    assert bool(files_of(api, sha256)) is (facts.status_code == 200)
