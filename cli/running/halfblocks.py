"""A picture in the terminal: two pixels per character, as half blocks in two colours (rich-pixels draws them)."""

from io import BytesIO

from PIL import Image, UnidentifiedImageError
from rich_pixels import Pixels


def halfblocks(jpeg: bytes, columns: int = 64) -> Pixels:
    """Return a JPEG as lines for a Rich console, in its own proportions.

    Args:
        jpeg: The picture's file.
        columns: The width, in characters of the usual shape (twice as high as wide).

    Raises:
        ValueError: The file is no JPEG that can be decoded, or `columns` is not positive.
    """
    if columns < 1:
        raise ValueError("a picture is at least one column wide")
    try:
        with Image.open(BytesIO(jpeg), formats=["JPEG"]) as picture:
            lines = max(1, round(columns * picture.height / picture.width / 2))
            small = picture.convert("RGB").resize((columns, 2 * lines), Image.Resampling.BOX)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError("the file is no JPEG that can be decoded") from error
    pixels: Pixels = Pixels.from_image(small)
    return pixels
