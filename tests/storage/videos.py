"""Real videos for the tests, made with PyAV: small, quick to encode, moving in brightness and colour."""

import contextlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av

_SOUND_RATE_HZ = 8000
_SOUND_SAMPLES = 1024


def make_video(
    path: Path,
    *,
    seconds: float = 2.0,
    width: int = 320,
    height: int = 180,
    fps: int = 24,
    audio: bool = False,
    faststart: bool = True,
    codec: str = "libx264",
) -> Path:
    """Write a playable video; the suffix of `path` chooses the container. Returns `path`."""
    options = {"movflags": "+faststart"} if faststart and path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if codec == "libx264":
            stream.codec_context.options = {"preset": "ultrafast", "bf": "0"}
        sound = container.add_stream("aac", rate=_SOUND_RATE_HZ, layout="mono") if audio else None
        frame = av.VideoFrame(width, height, "yuv420p")
        for number in range(round(seconds * fps)):
            for index, plane in enumerate(frame.planes):
                plane.update(bytes([(number * 5 + index * 60) % 256]) * plane.buffer_size)
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if isinstance(sound, av.AudioStream):
            _add_silence(container, sound, seconds)
    return path


def join_videos(sources: Sequence[Path], path: Path) -> Path:
    """Write the pictures of all sources, of one codec, one after the other without encoding them again."""
    with av.open(str(path), "w") as container, contextlib.ExitStack() as opened:
        originals = {source: opened.enter_context(av.open(str(source))) for source in dict.fromkeys(sources)}
        packets = {
            source: [packet for packet in original.demux(video=0) if packet.dts is not None]
            for source, original in originals.items()
        }
        stream = container.add_stream_from_template(originals[sources[0]].streams.video[0])
        start = 0
        for source in sources:
            for packet in packets[source]:
                again = av.Packet(bytes(packet))
                again.pts, again.dts = start + (packet.pts or 0), start + (packet.dts or 0)
                again.duration, again.time_base = packet.duration, packet.time_base
                again.is_keyframe, again.stream = packet.is_keyframe, stream
                container.mux(again)
            start += sum(packet.duration or 0 for packet in packets[source])
    return path


def make_sound(path: Path, *, seconds: float = 1.0) -> Path:
    """Write an MP4 with a sound track only."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=_SOUND_RATE_HZ, layout="mono")
        assert isinstance(sound, av.AudioStream)
        _add_silence(container, sound, seconds)
    return path


def truncate(path: Path, share: float) -> Path:
    """Cut the file to this share of its bytes, as a lost connection would."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def _add_silence(container: av.container.OutputContainer, sound: av.AudioStream, seconds: float) -> None:
    for number in range(int(seconds * _SOUND_RATE_HZ / _SOUND_SAMPLES)):
        frame = av.AudioFrame("fltp", "mono", _SOUND_SAMPLES)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.rate, frame.pts = _SOUND_RATE_HZ, number * _SOUND_SAMPLES
        container.mux(sound.encode(frame))
    container.mux(sound.encode(None))
