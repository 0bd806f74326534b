"""The files: videos and posters, with ranges, HEAD and ETags, so that players can seek and caches can keep."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response
from starlette.responses import MalformedRangeHeader, RangeNotSatisfiable

from api.changes import GenerationId
from api.problems import Problem, ProblemDocument
from api.service import Here, Service
from domain.generation import Video

router = APIRouter(prefix="/v1/generations", tags=["files"])

TakeNumber = Annotated[int | None, Query(ge=1, le=65535, description="Which take; the newest if left out.")]


def file_answers(media_type: str) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of the answers with a file of a type."""
    file = {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}
    return {
        200: file,
        206: {
            "description": "The part that was asked for; several of them as `multipart/byteranges`",
            "content": file["content"] | {"multipart/byteranges": {}},
        },
        304: {"description": "You have it"},
        416: {"model": ProblemDocument, "description": "The file ends before the range begins"},
    }


FILE_HEADERS: dict[str, Any] = {
    "parameters": [
        {"in": "header", "name": name, "description": description, "schema": {"type": "string"}}
        for name, description in (
            ("Range", "Only these bytes, such as `bytes=0-1023`."),
            ("If-None-Match", "The `ETag` of what you have: the answer is 304 where nothing has changed."),
        )
    ]
}
"""Headers that routes of files hear."""

_VIDEO, _POSTER = file_answers("video/mp4"), file_answers("image/jpeg")


class _File(FileResponse):
    """A file whose ranges are refused as everything else is."""

    @classmethod
    def _parse_range_header(cls, http_range: str, file_size: int) -> list[tuple[int, int]]:
        try:
            return super()._parse_range_header(http_range, file_size)
        except MalformedRangeHeader:
            return []  # RFC 9110, 14.2: what cannot be understood is ignored
        except RangeNotSatisfiable:
            raise Problem(
                "range_not_satisfiable",
                f"The file has {file_size} bytes.",
                headers={"Content-Range": f"bytes */{file_size}"},
            ) from None


@router.get(
    "/{generation_id}/video",
    response_class=FileResponse,
    responses=_VIDEO,
    openapi_extra=FILE_HEADERS,
    summary="The video",
)
@router.head("/{generation_id}/video", response_class=FileResponse, include_in_schema=False)
async def video(
    service: Here, request: Request, generation_id: GenerationId, take: TakeNumber = None
) -> Response:
    """Return the MP4 of a take; knows ranges."""
    found = await _video(service, generation_id, take)
    name = f"{generation_id}.mp4"
    return stored_file(
        service, request, found.sha256, ".mp4", "video/mp4", name, never_changes=take is not None
    )


@router.get(
    "/{generation_id}/poster",
    response_class=FileResponse,
    responses=_POSTER,
    openapi_extra=FILE_HEADERS,
    summary="Its poster",
)
@router.head("/{generation_id}/poster", response_class=FileResponse, include_in_schema=False)
async def poster(
    service: Here, request: Request, generation_id: GenerationId, take: TakeNumber = None
) -> Response:
    """Return a still of the video, as JPEG."""
    found = await _video(service, generation_id, take)
    name = f"{generation_id}.jpg"
    return stored_file(
        service, request, found.poster_sha256, ".jpg", "image/jpeg", name, never_changes=take is not None
    )


async def _video(service: Service, generation_id: str, number: int | None) -> Video:
    generation = await service.find(generation_id)
    takes = {take.number: take for take in generation.takes}
    take = generation.current if number is None else takes.get(number)
    if take is None:
        raise Problem("not_found", f"The generation has no take {number}; it has {len(takes)}.")
    if take.video is None:
        raise Problem("no_video", f"Take {take.number} is {take.status}: it has no video.")
    return take.video


def stored_file(
    service: Service,
    request: Request,
    sha256: str,
    suffix: str,
    media_type: str,
    name: str,
    *,
    never_changes: bool,
) -> Response:
    """Return a stored file, or 304 where the client has it.

    Args:
        service: Where the files are.
        request: Whose `If-None-Match` counts.
        sha256: Which file.
        suffix: Of its name in the store.
        media_type: What it is.
        name: How a browser saves it.
        never_changes: Whether this address always leads to this file: that of a numbered take does, that of the
            newest take leads to another one with the next.
    """
    etag = f'"{sha256}"'
    freshness = "private, max-age=31536000, immutable" if never_changes else "private, no-cache"
    headers = {"ETag": etag, "Cache-Control": freshness}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if known & {etag, "*"}:
        return Response(status_code=304, headers=headers)
    return _File(
        service.assets.path_of(sha256, suffix),
        media_type=media_type,
        headers=headers,
        filename=name,
        content_disposition_type="inline",
    )
