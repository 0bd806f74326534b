"""The child process of `storage.files.pictures`: decodes one untrusted picture under limits, and makes a plain one.

Promises: one line of JSON on standard output, `{"picture": {...}}`, `{"unusable": {"reason": "<sentence>",
"code": "<PictureFault>"}}` or `{"failed": "<our own fault>"}`. A picture is made of pixels only: upright,
8-bit sRGB, on white where it was transparent, with nothing of the file's metadata. The same file gives the
same bytes.

Refuses: all formats but JPEG, PNG and WebP, by content, and pictures over the limits before they are decoded.
Pillow would show what is left of a damaged JPEG or PNG; here it must be whole, and for JPEG FFmpeg must agree.

It is run by path, never imported by the service: it may import Pillow, PyAV, the standard library and
`storage.files.child_limits` only.
"""

import base64
import io
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from storage.files.child_limits import answer, is_short_of_memory

_PNG_END = b"IEND\xaeB`\x82"
_JPEG_END = b"\xff\xd9"
_ORIENTATION = 0x0112  # Exif
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUALITY = 95
_NO_SUBSAMPLING = 0  # 4:4:4


class Unusable(Exception):
    """The file is at fault; the reason is a sentence for a person, the code a `PictureFault`."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Do as requested; see `storage.files.pictures` for the fields."""
    Image.MAX_IMAGE_PIXELS = request["pixels"] // 2  # Pillow refuses above twice this number
    try:
        return {"picture": _answer(request)}
    except Unusable as error:
        return {"unusable": {"reason": error.reason, "code": error.code}}
    except MemoryError:
        memory = f"{request['memory_bytes'] >> 20} MiB"
        reason = f"It cannot be decoded in {memory} of memory."
        return {"unusable": {"reason": reason, "code": "picture_too_large"}}


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    data = Path(request["input"]).read_bytes()
    picture, media_type = _open(data, request)
    turn = _turn_of(picture)
    if request["work"] == "measure":
        width, height = _turned(picture.size, turn)
        return {"width": width, "height": height}
    plain = _plain(_decoded(picture, data, request), turn)
    if request["work"] == "fit":
        size = (request["width"], request["height"])
        plain = plain.resize(size, Image.Resampling.LANCZOS, box=tuple(request["box"]))
        return {"jpeg": base64.b64encode(_jpeg_of(plain, request)).decode()}
    jpeg = _jpeg_of(plain, request)
    Path(request["output"]).write_bytes(jpeg)
    return {
        "width": plain.width,
        "height": plain.height,
        "source_type": media_type,
        "size_bytes": len(jpeg),
    }


def _open(data: bytes, request: dict[str, Any]) -> tuple[ImageFile, str]:
    """Read the header with this format's reader and no other; check its claims before anything is decoded."""
    kind, media_type = _kind_of(data)
    try:
        picture = kind(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise Unusable("picture_too_large", _too_many(request)) from error
    except MemoryError:
        raise
    except Exception as error:  # the header is all that is read: whatever goes wrong is its fault
        if is_short_of_memory(request["memory_bytes"]):
            raise MemoryError from error
        raise Unusable("picture_damaged", "Its beginning is damaged, or its end is missing.") from error
    _check_size(picture.size, request)
    if getattr(picture, "is_animated", False):
        raise Unusable("not_a_picture", "It is an animation; a still picture is needed.")
    return picture, media_type


def _kind_of(data: bytes) -> tuple[type[ImageFile], str]:
    if data.startswith(b"\xff\xd8\xff"):
        return JpegImageFile, "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PngImageFile, "image/png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return WebPImageFile, "image/webp"
    raise Unusable("not_a_picture", f"It is {_guess(data)}; JPEG, PNG and WebP pictures can be used.")


def _guess(data: bytes) -> str:
    start = data[:256].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if b"<svg" in start:
        return "an SVG drawing"
    if start.startswith(b"<"):
        return "a page of HTML or XML"
    if start.startswith(b"gif8"):
        return "a GIF"
    if data[4:8] == b"ftyp":
        return "a HEIC or AVIF picture, or a video"
    return "no picture that is known here"


def _check_size(size: tuple[int, int], request: dict[str, Any]) -> None:
    width, height = size
    shown = f"It is {width}x{height} pixels"
    if max(size) > request["longest_side"]:
        raise Unusable("picture_too_large", f"{shown}; {request['longest_side']} a side are allowed.")
    if width * height > request["pixels"]:
        raise Unusable("picture_too_large", _too_many(request))
    if min(size) < request["least_side"]:
        raise Unusable("picture_too_small", f"{shown}; each side needs {request['least_side']}.")


def _too_many(request: dict[str, Any]) -> str:
    return f"It has more than the {request['pixels'] / 1e6:g} megapixels that are allowed."


def _decoded(picture: ImageFile, data: bytes, request: dict[str, Any]) -> Image.Image:
    try:
        match picture:
            case JpegImageFile():
                _prove_whole_jpeg(data, picture, request["memory_bytes"])
            case PngImageFile():
                _prove_whole_png(data)
        picture.load()
    except (MemoryError, Unusable):
        raise
    except Exception as error:  # all bytes are here already: whatever goes wrong is their fault
        if is_short_of_memory(request["memory_bytes"]):
            raise MemoryError from error
        raise Unusable("picture_damaged", f"It is cut off or damaged: {error}.") from error
    return picture


def _prove_whole_jpeg(data: bytes, picture: JpegImageFile, memory_bytes: int) -> None:
    """Let FFmpeg look for errors: libjpeg fills what is missing with grey, and Pillow does not tell."""
    start_of_scan = picture.fp.tell() if picture.fp else 0
    if data.find(_JPEG_END, start_of_scan) < 0:
        raise Unusable("picture_damaged", "It is cut off: its end is missing.")
    decoder = av.CodecContext.create("mjpeg", "r")
    decoder.options = {"err_detect": "explode"}
    decoder.thread_count = 1
    try:
        decoder.decode(av.Packet(data))
    except av.FFmpegError as error:
        if isinstance(error, MemoryError) or is_short_of_memory(memory_bytes):
            raise MemoryError from error
        if isinstance(error, av.InvalidDataError):
            raise Unusable("picture_damaged", "It is cut off or damaged: pixels are missing.") from error
        # Else it is a rare kind of JPEG that FFmpeg does not know: no opinion.


def _prove_whole_png(data: bytes) -> None:
    """Check each checksum up to the end, which decoding leaves out."""
    if _PNG_END not in data:
        raise Unusable("picture_damaged", "It is cut off: its end is missing.")
    PngImageFile(io.BytesIO(data)).verify()


def _plain(picture: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    """Return the picture upright, in 8-bit sRGB, on white, with nothing but pixels."""
    profile = picture.info.get("icc_profile")
    colours, alpha = _separated(picture)
    plain = _in_srgb(colours, profile)
    if alpha is not None:
        ground = Image.new("RGB", plain.size, "white")
        ground.paste(plain, mask=alpha)
        plain = ground
    if turn is not None:
        plain = plain.transpose(turn)
    plain.info = {}  # comments and more that Pillow would write again
    return plain


def _separated(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the colours as L, RGB or CMYK, and the opacity as L, if there is one."""
    if picture.mode.startswith("I"):
        # 16 bits of grey; Pillow itself would clip them to 8. A transparent grey (rare) is not honoured.
        return picture.point(lambda grey: grey * (1 / 257)).convert("L"), None
    if picture.has_transparency_data:
        picture = picture.convert("LA" if picture.mode in {"1", "L", "LA"} else "RGBA")
        return picture.convert(picture.mode.removesuffix("A")), picture.getchannel("A")
    match picture.mode:
        case "L" | "RGB" | "CMYK":
            return picture, None
        case "1":
            return picture.convert("L"), None
        case _:
            return picture.convert("RGB"), None


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert by the profile; one that is broken or of another colour space counts for nothing."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return picture.convert("RGB")


def _turn_of(picture: ImageFile) -> Image.Transpose | None:
    """Return how to turn the picture so that it stands as its Exif says."""
    exif = Image.Exif()
    try:
        exif.load(picture.info.get("exif", b""))
        return _TURNS.get(exif.get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - broken Exif raises anything, and is no reason to refuse the picture
        return None


def _turned(size: tuple[int, int], turn: Image.Transpose | None) -> tuple[int, int]:
    sideways = turn is not None and turn in {_TURNS[5], _TURNS[6], _TURNS[7], _TURNS[8]}
    return (size[1], size[0]) if sideways else size


def _jpeg_of(picture: Image.Image, request: dict[str, Any]) -> bytes:
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=_QUALITY, subsampling=_NO_SUBSAMPLING)
    if output.tell() > request["result_bytes"]:
        allowed = f"{request['result_bytes'] >> 20} MiB"
        raise Unusable("picture_too_large", f"It would be larger than {allowed} as a JPEG.")
    return output.getvalue()


if __name__ == "__main__":
    answer(main)
