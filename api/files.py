"""Stored files as answers: with ranges, HEAD and ETags, so that players can seek and caches can keep."""

from enum import Enum
from typing import Any

from fastapi import Request
from fastapi.responses import FileResponse, Response
from starlette.responses import MalformedRangeHeader, RangeNotSatisfiable

from api.problems import Problem, ProblemDocument
from api.service import Service

HEADERS: dict[str, Any] = {
    "parameters": [
        {"in": "header", "name": name, "description": description, "schema": {"type": "string"}}
        for name, description in (
            ("Range", "Only these bytes, such as `bytes=0-1023`."),
            ("If-None-Match", "The `ETag` of what you have: the answer is 304 where nothing has changed."),
        )
    ]
}
"""Headers that routes of files hear, as the OpenAPI document says it."""


class FileKind(Enum):
    """What is kept in files: the suffix in the store, and the media type."""

    MP4 = ".mp4", "video/mp4"
    JPEG = ".jpg", "image/jpeg"

    def __init__(self, suffix: str, media_type: str) -> None:
        self.suffix = suffix
        self.media_type = media_type

    @property
    def answers(self) -> dict[int | str, dict[str, Any]]:
        """What the OpenAPI document says of the answers with such a file."""
        file = {"content": {self.media_type: {"schema": {"type": "string", "format": "binary"}}}}
        return {
            200: file,
            206: {
                "description": "The part that was asked for; several of them as `multipart/byteranges`",
                "content": file["content"] | {"multipart/byteranges": {}},
            },
            304: {"description": "You have it"},
            416: {"model": ProblemDocument, "description": "The file ends before the range begins"},
        }


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


def stored_file(
    service: Service, request: Request, kind: FileKind, sha256: str, *, of: str, never_changes: bool
) -> Response:
    """Return a stored file, or 304 where the client has it.

    Args:
        service: Where the files are.
        request: Whose `If-None-Match` counts.
        kind: What it is.
        sha256: Which file.
        of: The id of what it shows: a browser saves the file under it.
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
        service.assets.path_of(sha256, kind.suffix),
        media_type=kind.media_type,
        headers=headers,
        filename=f"{of}{kind.suffix}",
        content_disposition_type="inline",
    )
