"""The child process of `storage.files.media`: decodes one untrusted video under limits, and says what it saw.

Promises: one line of JSON on standard output, `{"facts": {...}}`, `{"unplayable": "<sentence>"}` or
`{"failed": "<our own fault>"}`; the poster is written before the facts are. It touches the input only under
the limits of `storage.files.child_limits`.

Refuses: containers and codecs that no provider has reason to hand out. Playlists and lists of files are
among them: those would have us open other files and addresses.

It is run by path, never imported by the service: it may import PyAV, the standard library and
`storage.files.child_limits` only.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from storage.files.child_limits import answer, is_short_of_memory

_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm"
_DECODERS = ("h264", "hevc", "libdav1d", "av1", "vp8", "vp9", "libvpx", "libvpx-vp9", "mpeg4", "prores")
_FASTEST_FPS = 1000


class Unplayable(Exception):
    """The file is at fault; the message is a sentence for a person."""


class Damaged(Exception):
    """A frame came out, but not whole; the message says where."""


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Inspect as requested; see `storage.files.media.inspect_video` for the fields."""
    try:
        return {"facts": _inspect(request)}
    except Unplayable as error:
        return {"unplayable": str(error)}
    except (MemoryError, av.FFmpegError, Damaged) as error:
        return _blame(error, request)


def _blame(error: Exception, request: dict[str, Any]) -> dict[str, Any]:
    what = getattr(error, "strerror", None) or str(error) or "Cannot allocate memory"
    # FFmpeg often calls a lack of memory something else.
    if isinstance(error, MemoryError) or is_short_of_memory(request["memory_bytes"]):
        memory = f"{request['memory_bytes'] >> 20} MiB"
        return {"unplayable": f"It cannot be decoded in {memory} of memory: {what}."}
    if isinstance(error, av.BlockingIOError):
        return {"failed": "no thread could be started"}
    return {"unplayable": f"It cannot be decoded: {what}."}


def _inspect(request: dict[str, Any]) -> dict[str, Any]:
    path = Path(request["input"])
    with _open(path) as container:
        stream = _picture_of(container, request)
        stream.codec_context.thread_type = "AUTO"
        stream.codec_context.thread_count = request["threads"]
        claimed_seconds = _claimed_seconds(container, stream, request)
        reel = _Reel(request, claimed_seconds)
        for packet in container.demux():
            if packet.is_corrupt:
                raise Unplayable(f"It is cut off or damaged after {reel.seconds:.2f} s.")
            if packet.stream is stream:
                for frame in stream.decode(packet):
                    reel.add(frame)
        facts = reel.facts()
        played_seconds = facts["duration_seconds"]
        if played_seconds < claimed_seconds - max(0.5, claimed_seconds * 0.1):
            raise Unplayable(f"It claims {claimed_seconds:.2f} s; only {played_seconds:.2f} s can be played.")
        _write_poster(reel.poster, Path(request["poster"]), request["poster_width_pixels"])
        return {
            **facts,
            "codec": stream.codec_context.codec.canonical_name,
            "has_audio": bool(container.streams.audio),
        }


def _open(path: Path) -> InputContainer:
    try:
        # "file:" makes the name a name, whatever it looks like ("concat:...", "http://...").
        return av.open(
            f"file:{path}",
            mode="r",
            options={
                "protocol_whitelist": "file",
                "format_whitelist": _CONTAINERS,
                "codec_whitelist": ",".join(_DECODERS),
            },
        )
    except (av.FileNotFoundError, av.PermissionError):
        raise OSError("the file cannot be opened") from None
    except (av.InvalidDataError, av.ArgumentError, av.EOFError) as error:
        with path.open("rb") as file:
            start = file.read(256).lstrip().lower()
        if start.startswith(b"<"):
            raise Unplayable("It is no video but a page of HTML or XML.") from error
        if start.startswith((b"{", b"[")):
            raise Unplayable("It is no video but JSON.") from error
        raise Unplayable("It is no MP4 or WebM video, or its beginning or end is missing.") from error


def _picture_of(container: InputContainer, request: dict[str, Any]) -> VideoStream:
    if not container.streams.video:
        raise Unplayable("It has no picture.")
    stream = container.streams.video[0]
    # Without a decoder there is no codec context, whatever the types say.
    decoder = getattr(stream.codec_context, "name", "unknown")
    if decoder not in _DECODERS:
        raise Unplayable(f"Its codec, {decoder}, is none that a video service should deliver.")
    _refuse_huge(stream.codec_context.width, stream.codec_context.height, request["side_pixels"])
    return stream


def _claimed_seconds(container: InputContainer, stream: VideoStream, request: dict[str, Any]) -> float:
    """Return the length that the container claims, 0 if it does not say; refuse absurd claims at once."""
    if stream.duration is not None and stream.time_base is not None:
        claimed = float(stream.duration * stream.time_base)
    else:
        claimed = (container.duration or 0) / av.time_base
    _refuse_long(claimed, request["duration_seconds"])
    return max(claimed, 0.0)


class _Reel:
    """What the decoded frames add up to."""

    def __init__(self, request: dict[str, Any], claimed_seconds: float) -> None:
        self._request = request
        self._poster_at = claimed_seconds / 3
        self._poster: VideoFrame | None = None
        self._poster_found = False
        self._first: Fraction | None = None
        self._end = Fraction(0)
        self._size = (0, 0)
        self.frames = 0

    @property
    def seconds(self) -> float:
        return float(self._end - self._first) if self._first is not None else 0.0

    @property
    def poster(self) -> VideoFrame:
        if self._poster is None:
            raise Unplayable("It has no picture that can be decoded.")
        return self._poster

    def add(self, frame: VideoFrame) -> None:
        if frame.is_corrupt:
            raise Damaged(f"The picture is damaged after {self.seconds:.2f} s")
        if frame.pts is None or frame.time_base is None:
            raise Unplayable("Its pictures do not say when they are to be shown.")
        size = (frame.width, frame.height)
        if self.frames and size != self._size:
            raise Unplayable(f"Its picture changes size after {self.seconds:.2f} s.")
        _refuse_huge(*size, self._request["side_pixels"])
        self._size = size
        start = frame.pts * frame.time_base
        self.frames += 1
        if self._first is None:
            self._first = start
        self._first = min(self._first, start)
        self._end = max(self._end, start + (frame.duration or 0) * frame.time_base)
        _refuse_long(self.seconds, self._request["duration_seconds"])
        if not self._poster_found:
            self._poster = frame
            self._poster_found = start - self._first >= self._poster_at

    def facts(self) -> dict[str, Any]:
        if self._first is None:
            raise Unplayable("It has no picture that can be decoded.")
        seconds = self._end - self._first
        if seconds <= 0 or self.frames / seconds > _FASTEST_FPS:
            raise Unplayable(f"Its {self.frames} pictures last {float(seconds):.3f} s.")
        return {
            "duration_seconds": round(float(seconds), 6),
            "width": self._size[0],
            "height": self._size[1],
            "fps": round(float(self.frames / seconds), 3),
            "frames": self.frames,
        }


def _refuse_huge(width: int, height: int, side_pixels: int) -> None:
    if max(width, height) > side_pixels:
        raise Unplayable(f"Its picture is {width}x{height} pixels; {side_pixels} a side are allowed.")


def _refuse_long(seconds: float, allowed_seconds: float) -> None:
    if seconds > allowed_seconds:
        raise Unplayable(f"It lasts {seconds:.0f} s; {allowed_seconds:g} s are allowed.")


def _write_poster(frame: VideoFrame, path: Path, width_pixels: int) -> None:
    """Write the frame as a JPEG of at most `width_pixels`, in JPEG's own colours (BT.601, full range)."""
    width = min(frame.width, width_pixels)
    height = max(1, round(frame.height * width / frame.width))
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 1)
    encoder.qmin = encoder.qmax = 4
    picture = frame.reformat(width, height, "yuvj420p", dst_colorspace="itu601")
    picture.pts, picture.time_base = 0, Fraction(1, 1)
    packets = [*encoder.encode(picture), *encoder.encode(None)]
    path.write_bytes(b"".join(bytes(packet) for packet in packets))


if __name__ == "__main__":
    answer(main)
