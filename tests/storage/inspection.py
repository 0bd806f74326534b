"""Asking for an inspection that must end in a refusal."""

from pathlib import Path

import pytest

from storage.files.media import InspectionLimits, UnplayableVideo, inspect_video


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def exists(path: Path) -> bool:
    return path.exists()


async def refusal(path: Path, poster: Path, **limits: float) -> str:
    """The reason for which this file is refused; no poster may be left of it."""
    put(poster, b"of an earlier try")
    with pytest.raises(UnplayableVideo) as refused:
        await inspect_video(path, poster, limits=InspectionLimits.model_validate(limits))
    assert not exists(poster)
    return refused.value.reason
