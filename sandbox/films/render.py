"""Renders films as real MP4 files: H.264, yuv420p, 24 frames a second, index in front, no sound.

The index in front means that a file whose end is missing still claims its full length: only
decoding shows what is wrong with it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Final

import av

from sandbox.films.picture import Film, Scene

FRAME_RATE: Final = 24
_PAINTED_RATE: Final = 12  # each picture is shown twice
_KEPT: Final = 0.4  # of the picture data, in a truncated film


class RenderingStopped(Exception):
    """The sandbox closes; the film is not wanted any more."""


def render(film: Film, is_stopped: Callable[[], bool] = lambda: False) -> bytes:
    """Renders a film.

    Args:
        film: What to show.
        is_stopped: Asked before each picture.

    Returns:
        A whole MP4 file.

    Raises:
        RenderingStopped: `is_stopped` said yes.
    """
    with tempfile.TemporaryDirectory(prefix="sandbox-film-") as folder:
        # A real file: the muxer reads its own output again to move the index to the front.
        path = Path(folder) / "film.mp4"
        _encode(film, path, is_stopped)
        return path.read_bytes()


def truncated(film: bytes) -> bytes:
    """The film without the end of its picture data; its index still promises everything."""
    start = film.index(b"mdat")
    return film[: start + int((len(film) - start) * _KEPT)]


def _encode(film: Film, path: Path, is_stopped: Callable[[], bool]) -> None:
    scene = Scene(film)
    shown_times = FRAME_RATE // _PAINTED_RATE
    frames = max(1, round(film.seconds * FRAME_RATE))
    options = {"preset": "ultrafast", "crf": "30"}
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FRAME_RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = film.width, film.height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, FRAME_RATE)
        stream.codec_context.thread_count = 1
        shown: av.VideoFrame | None = None
        for number in range(frames):
            if shown is None or number % shown_times == 0:
                if is_stopped():
                    raise RenderingStopped
                shown = _paint(scene, number / FRAME_RATE, film)
            shown.pts, shown.time_base = number, Fraction(1, FRAME_RATE)
            container.mux(stream.encode(shown))
        container.mux(stream.encode(None))


def _paint(scene: Scene, at: float, film: Film) -> av.VideoFrame:
    small = av.VideoFrame(scene.width, scene.height, "rgb24")
    plane = small.planes[0]
    picture, row = scene.frame(at), scene.width * 3
    padding = bytes(plane.line_size - row)
    if padding:
        picture = b"".join(picture[start : start + row] + padding for start in range(0, len(picture), row))
    plane.update(picture)
    return small.reformat(width=film.width, height=film.height, format="yuv420p", interpolation="BILINEAR")
