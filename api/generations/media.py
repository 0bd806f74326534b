"""The files of a generation: each take's video and its poster."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response

from api import files
from api.files import FileKind, stored_file
from api.generations.finding import find
from api.generations.paths import GenerationId
from api.problems import Problem
from api.service import Here, Service
from domain.generation import Video

router = APIRouter(prefix="/v1/generations", tags=["files"])

WhichTake = Annotated[int | None, Query(ge=1, le=65535, description="Which take; the newest if left out.")]


@router.get(
    "/{generation_id}/video",
    response_class=FileResponse,
    responses=FileKind.MP4.answers,
    openapi_extra=files.HEADERS,
    summary="The video",
)
@router.head("/{generation_id}/video", response_class=FileResponse, include_in_schema=False)
async def video(
    service: Here, request: Request, generation_id: GenerationId, take: WhichTake = None
) -> Response:
    """Return the MP4 of a take; knows ranges."""
    sha256 = (await _video(service, generation_id, take)).sha256
    is_numbered = take is not None
    return stored_file(service, request, FileKind.MP4, sha256, of=generation_id, never_changes=is_numbered)


@router.get(
    "/{generation_id}/poster",
    response_class=FileResponse,
    responses=FileKind.JPEG.answers,
    openapi_extra=files.HEADERS,
    summary="Its poster",
)
@router.head("/{generation_id}/poster", response_class=FileResponse, include_in_schema=False)
async def poster(
    service: Here, request: Request, generation_id: GenerationId, take: WhichTake = None
) -> Response:
    """Return a still of the video, as JPEG."""
    sha256 = (await _video(service, generation_id, take)).poster_sha256
    is_numbered = take is not None
    return stored_file(service, request, FileKind.JPEG, sha256, of=generation_id, never_changes=is_numbered)


async def _video(service: Service, generation_id: str, number: int | None) -> Video:
    generation = await find(service, generation_id)
    takes = {take.number: take for take in generation.takes}
    take = generation.current if number is None else takes.get(number)
    if take is None:
        raise Problem("not_found", f"The generation has no take {number}; it has {len(takes)}.")
    if take.video is None:
        raise Problem("no_video", f"Take {take.number} is {take.status}: it has no video.")
    return take.video
