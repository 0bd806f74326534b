"""A file is a playable video if, and only if, all of it decodes within the limits."""

from pathlib import Path

import av
import pytest

from storage.files.media import InspectionFailed, MediaFacts, inspect_video
from tests.storage.inspection import exists, put, refusal
from tests.storage.videos import join_videos, make_sound, make_video, truncate

_HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n"


@pytest.fixture
def poster(tmp_path: Path) -> Path:
    return tmp_path / "poster.jpg"


async def test_a_video_is_measured_and_gets_a_poster(tmp_path: Path, poster: Path) -> None:
    path = make_video(tmp_path / "video.mp4", seconds=2, width=1280, height=720, fps=25, audio=True)
    facts = await inspect_video(path, poster)
    assert facts == MediaFacts(
        duration_seconds=2.0,
        width=1280,
        height=720,
        fps=25.0,
        codec="h264",
        has_audio=True,
        size_bytes=path.stat().st_size,
        frames=50,
    )
    with av.open(str(poster)) as picture:
        frame = next(picture.decode(video=0))
        assert isinstance(frame, av.VideoFrame)
        assert (frame.width, frame.height) == (640, 360)
        # Frame n of our videos has the brightness 5 n; a third into this one is frame 17.
        assert grey_of(frame) == pytest.approx(5 * 17, abs=1.5)


def grey_of(full_range: "av.VideoFrame") -> float:
    """Turn the full-range brightness of a JPEG back into the video's limited range."""
    return 16 + bytes(full_range.planes[0])[0] * 219 / 255


@pytest.mark.parametrize(
    ("name", "encoder", "codec"),
    [("a.mp4", "libx264", "h264"), ("a.webm", "libvpx", "vp8"), ("a.mkv", "mpeg4", "mpeg4")],
)
async def test_containers_and_codecs(
    tmp_path: Path, poster: Path, name: str, encoder: str, codec: str
) -> None:
    facts = await inspect_video(make_video(tmp_path / name, seconds=1, fps=30, codec=encoder), poster)
    assert (facts.codec, facts.frames, facts.has_audio) == (codec, 30, False)
    assert facts.duration_seconds == pytest.approx(1.0, abs=0.01)
    assert facts.fps == pytest.approx(30, rel=0.01)


async def test_a_small_picture_is_not_enlarged(tmp_path: Path, poster: Path) -> None:
    await inspect_video(make_video(tmp_path / "small.mp4", width=322, height=178, seconds=0.5), poster)
    with av.open(str(poster)) as picture:
        assert (picture.streams.video[0].width, picture.streams.video[0].height) == (322, 178)


async def test_a_single_frame_is_a_video(tmp_path: Path, poster: Path) -> None:
    facts = await inspect_video(make_video(tmp_path / "one.mp4", seconds=1 / 24), poster)
    assert facts.frames == 1
    assert facts.duration_seconds == pytest.approx(1 / 24, abs=1e-4)
    assert exists(poster)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
async def test_a_truncated_video_whose_header_claims_all_of_it_is_refused(
    tmp_path: Path, poster: Path, share: float
) -> None:
    path = truncate(make_video(tmp_path / "video.mp4", seconds=4), share)
    with av.open(str(path)) as container:
        assert container.duration == 4 * av.time_base
    assert "cut off or damaged" in await refusal(path, poster)


async def test_a_video_cut_between_two_frames_is_refused(tmp_path: Path, poster: Path) -> None:
    path = make_video(tmp_path / "video.mp4", seconds=4)
    with av.open(str(path)) as container:
        starts = [packet.pos for packet in container.demux() if packet.pos is not None]
    path.write_bytes(path.read_bytes()[: starts[40]])
    assert "claims 4.00 s; only 1.67 s" in await refusal(path, poster)


async def test_a_truncated_webm_is_refused(tmp_path: Path, poster: Path) -> None:
    path = truncate(make_video(tmp_path / "video.webm", seconds=2, codec="libvpx"), 0.5)
    assert "claims 2.00 s" in await refusal(path, poster)


async def test_a_video_whose_index_was_lost_is_refused(tmp_path: Path, poster: Path) -> None:
    path = truncate(make_video(tmp_path / "video.mp4", faststart=False), 0.9)
    assert "no MP4 or WebM" in await refusal(path, poster)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
async def test_a_video_with_a_damaged_frame_in_its_middle_is_refused(
    tmp_path: Path, poster: Path, codec: str
) -> None:
    path = make_video(tmp_path / "video.mp4", seconds=2, codec=codec)
    with av.open(str(path)) as container:
        frames = [(packet.pos, packet.size) for packet in container.demux() if packet.pos is not None]
    start, size = frames[20]
    data = bytearray(path.read_bytes())
    data[start + 20 : start + size] = b"\xa5" * (size - 20)
    path.write_bytes(data)
    assert "cannot be decoded" in await refusal(path, poster)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "HTML"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML"),
        (b'{"error": "expired"}', "JSON"),
        (bytes(range(256)) * 400, "no MP4 or WebM"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2", "no MP4 or WebM"),
    ],
    ids=["empty", "html", "xml", "json", "garbage", "header only"],
)
async def test_what_is_no_video_is_refused(tmp_path: Path, poster: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    assert reason in await refusal(path, poster)


async def test_a_sound_track_alone_is_refused(tmp_path: Path, poster: Path) -> None:
    assert "no picture" in await refusal(make_sound(tmp_path / "sound.mp4"), poster)


async def test_a_codec_that_nobody_should_deliver_is_refused(tmp_path: Path, poster: Path) -> None:
    path = make_video(tmp_path / "video.mp4", seconds=0.5, codec="mpeg2video")
    assert "mpeg2video" in await refusal(path, poster)


async def test_a_huge_picture_is_refused(tmp_path: Path, poster: Path) -> None:
    path = make_video(tmp_path / "video.mp4", seconds=0.1, width=16384, height=64)
    assert "16384x64 pixels; 8192" in await refusal(path, poster)


async def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path: Path, poster: Path) -> None:
    path = truncate(make_video(tmp_path / "video.mp4", seconds=0.1, width=16384, height=64), 0.5)
    assert "16384x64 pixels; 8192" in await refusal(path, poster)


async def test_a_picture_that_changes_its_size_is_refused(tmp_path: Path, poster: Path) -> None:
    large = make_video(tmp_path / "large.webm", seconds=1, codec="libvpx")
    small = make_video(tmp_path / "small.webm", seconds=1, codec="libvpx", width=160, height=90)
    path = join_videos([large, small], tmp_path / "video.webm")
    assert "changes size after" in await refusal(path, poster)


async def test_an_endless_video_is_refused(tmp_path: Path, poster: Path) -> None:
    path = make_video(tmp_path / "video.mp4", seconds=700, width=64, height=64, fps=1)
    assert "lasts 700 s; 600 s" in await refusal(path, poster)


@pytest.mark.parametrize(
    ("name", "playlist"),
    [
        ("list.mp4", f"{_HLS}secret.mp4\n#EXT-X-ENDLIST\n"),
        ("list.m3u8", f"{_HLS}secret.mp4\n#EXT-X-ENDLIST\n"),
        ("list.m3u8", f"{_HLS}file:{{folder}}/secret.mp4\n#EXT-X-ENDLIST\n"),
        ("list.mp4", "ffconcat version 1.0\nfile secret.mp4\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile {folder}/secret.mp4\n"),
    ],
)
async def test_a_list_of_files_cannot_make_it_open_another_file(
    tmp_path: Path, poster: Path, playlist: str, name: str
) -> None:
    secret = make_video(tmp_path / "secret.mp4", seconds=0.2)
    await inspect_video(secret, poster)
    path = tmp_path / name
    path.write_text(playlist.replace("{folder}", str(tmp_path)))
    assert "no MP4 or WebM" in await refusal(path, poster)


async def test_a_name_is_never_a_protocol(
    tmp_path: Path, poster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_video(tmp_path / "secret.mp4", seconds=0.2)
    monkeypatch.chdir(tmp_path)
    for name in ("concat:secret.mp4", "subfile,,start,0,end,0,,:secret.mp4"):
        put(Path(name), b"not a video")
        assert "no MP4 or WebM" in await refusal(Path(name), poster)


async def test_it_works_from_any_folder(
    tmp_path: Path, poster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_video(tmp_path / "video.mp4", seconds=0.5)
    (tmp_path / "av.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert (await inspect_video(Path("video.mp4"), Path("poster.jpg"))).frames == 12
    assert exists(poster)


async def test_a_missing_file_is_not_blamed_on_the_video(tmp_path: Path, poster: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await inspect_video(tmp_path / "missing.mp4", poster)


async def test_a_poster_that_cannot_be_written_is_not_blamed_on_the_video(tmp_path: Path) -> None:
    path = make_video(tmp_path / "video.mp4", seconds=0.5)
    with pytest.raises(InspectionFailed, match="FileNotFoundError"):
        await inspect_video(path, tmp_path / "missing" / "poster.jpg")
