"""Reading image files: checked in full, resized if wanted."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

from PIL import ExifTags, Image, ImageOps

from tfrecords_tools.errors import InputError

JPEG_QUALITY = 95


class EncodedImage(NamedTuple):
    """An image file in memory, with its height and width in pixels."""

    encoded: bytes
    height: int
    width: int


def load_image(path: Path, size: int | None = None) -> EncodedImage:
    """Reads an image file and decodes it once in full to check it.

    Args:
        path: the file, in any format that Pillow reads.
        size: height and width to resize to, without keeping the aspect ratio as the paper does,
            by averaging areas and encoded as JPEG of quality 95; None to keep the image.

    Returns:
        The image as JPEG or PNG, grayscale or RGB. The file's own bytes are kept where it is such
        a file, upright and of the right size.

    Raises:
        InputError: the file is missing, damaged or not an image.

    Example:
        >>> load_image(Path("cat.jpg"), size=256).height
        256
    """
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as stored:
            stored.load()
            upright = stored.getexif().get(ExifTags.Base.Orientation, 1) == 1
            plain = stored.format in ("JPEG", "PNG") and stored.mode in ("L", "RGB") and upright
            if plain and size in (None, stored.width) and size in (None, stored.height):
                return EncodedImage(content, stored.height, stored.width)
            image = ImageOps.exif_transpose(stored).convert("RGB")
        if size is not None:
            image = image.resize((size, size), Image.Resampling.BOX)
    # Pillow raises SyntaxError for some broken PNG files, ValueError for some broken headers.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as an image: {error}") from error
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return EncodedImage(buffer.getvalue(), image.height, image.width)
