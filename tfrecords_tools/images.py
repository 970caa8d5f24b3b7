"""Reading image files: checked in full, upright, resized if wanted, always as JPEG."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import simplejpeg
from PIL import ExifTags, Image, UnidentifiedImageError

from tfrecords_tools.errors import InputError
from tfrecords_tools.regular_files import read_regular

RESAMPLING = Image.Resampling.BICUBIC
JPEG_QUALITY = 95
MAX_JPEG_SIDE = 65_500
# Blocks of 16 MB.
KEPT_BLOCKS = 4
# How to turn an image upright, by its EXIF orientation; any other value means upright.
TURNS: dict[Any, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class EncodedImage(NamedTuple):
    """A JPEG file in memory, with its height and width in pixels."""

    encoded: bytes
    height: int
    width: int


def load_image(path: Path, size: int | None = 256, shorter_side: bool = False) -> EncodedImage:
    """Reads an image file and decodes it once in full to check it.

    A JPEG file that is upright and of the right size is kept byte for byte; every other image is
    encoded as JPEG with quality 95. JPEG files more than twice as large as needed are decoded at a
    reduced size that is at least twice as large. Photographs are turned upright by their EXIF
    orientation, transparent pixels are shown on white, the upper 8 of 16 bits per channel are
    kept, and the first frame of an animation. Gray stays gray, all other colors become RGB.

    Args:
        path: the file, in any format that Pillow reads.
        size: side in pixels of the square that the image is resized to, without keeping the aspect
            ratio as in the paper, by antialiased bicubic resampling; None keeps the image's size.
        shorter_side: resize the shorter side to `size` instead and keep the aspect ratio.

    Raises:
        InputError: the file is missing, not a regular file, damaged, not an image, has more than
            about 179 million pixels (a decompression bomb), or is too long and thin to be resized.

    Example:
        >>> load_image(Path("cat.jpg"), size=256).height
        256
    """
    try:
        return encode_image(read_regular(path), size, shorter_side)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read as an image: {reason}") from error


def encode_image(
    content: bytes, size: int | None = None, shorter_side: bool = False
) -> EncodedImage:
    """Does what `load_image` does with the content of a file; raises ValueError."""
    try:
        with warnings.catch_warnings():
            # Pillow warns about odd metadata; what it cannot read is an exception.
            warnings.simplefilter("ignore")
            return _encode(content, size, shorter_side)
    except UnidentifiedImageError:
        reason = "it is not an image in a known format" if content else "it is empty"
        raise ValueError(reason) from None
    except MemoryError:
        raise
    # For broken files Pillow raises OSError, SyntaxError, struct.error, IndexError and others.
    except Exception as error:
        raise ValueError(str(error)) from error


def _encode(content: bytes, size: int | None, shorter_side: bool) -> EncodedImage:
    with Image.open(io.BytesIO(content)) as stored:
        if stored.format == "PNG":
            # Checks the file's checksums, which decoding does not.
            Image.open(io.BytesIO(content)).verify()
        is_plain_jpeg = (
            stored.format in ("JPEG", "MPO")
            and stored.mode in ("L", "RGB")
            and _is_known_layout(content)
        )
        if is_plain_jpeg and _turn(stored) is None:
            wanted = _resized(stored.size, size, shorter_side)
            if stored.size == wanted:
                check_jpeg(content)
                return EncodedImage(content, stored.height, stored.width)
            image = _resized_jpeg(content, stored.mode, stored.size, wanted)
        else:
            if is_plain_jpeg:
                check_jpeg(content)
            stored.load()
            # Only now: Pillow itself turns TIFF files when it loads them.
            turn = _turn(stored)
            image = _gray_or_rgb(stored if turn is None else stored.transpose(turn))
            image = image.resize(_resized(image.size, size, shorter_side), RESAMPLING)
    buffer = io.BytesIO()
    # Otherwise Pillow copies the comment, and fails if it is too long for JPEG.
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, comment=b"")
    return EncodedImage(buffer.getvalue(), image.height, image.width)


def keep_image_memory() -> None:
    """Makes Pillow reuse the memory of images, which saves a fifth of the time of a resize."""
    Image.core.set_blocks_max(KEPT_BLOCKS)


def check_jpeg(content: bytes) -> None:
    """Reads every coefficient of a JPEG file in gray or color.

    Pillow and TensorFlow ignore damaged data inside a file; this does not.

    Raises:
        ValueError: the data are damaged or cut off.
    """
    # Decoding at an eighth of the size reads all data, but computes less.
    simplejpeg.decode_jpeg(content, "GRAY", min_height=1, min_width=1, min_factor=1)


def _resized_jpeg(
    content: bytes, mode: str, full: tuple[int, int], wanted: tuple[int, int]
) -> Image.Image:
    """Decodes an upright JPEG file as strictly as `check_jpeg` does, and resizes it.

    A large one is decoded at the smallest number of eighths of its size with at least twice the
    wanted pixels per side: much faster, and hardly visible after resampling.
    """
    pixels = simplejpeg.decode_jpeg(
        content,
        "GRAY" if mode == "L" else "RGB",
        min_width=2 * wanted[0],
        min_height=2 * wanted[1],
        min_factor=1,
    )
    decoded = pixels.shape[1], pixels.shape[0]
    image = Image.frombuffer(mode, decoded, pixels, "raw", mode, 0, 1)
    # libjpeg rounds the reduced size up; the picture covers this part of it.
    width, height = (
        side * (8 * some // side) / 8 for side, some in zip(full, decoded, strict=True)
    )
    return image.resize(wanted, RESAMPLING, box=(0, 0, width, height))


def _is_known_layout(content: bytes) -> bool:
    """Whether the fast decoder knows a JPEG file's layout, such as its chroma subsampling."""
    try:
        simplejpeg.decode_jpeg_header(content)
    except ValueError:
        return False
    return True


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How to turn an image upright; other metadata are not decoded, since they may be damaged."""
    try:
        return TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:  # damaged metadata of an image that may be whole
        return None


def _gray_or_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers of unknown range")
    if image.mode.startswith("I"):
        # Pillow itself would clip all values at 255.
        return Image.fromarray((np.asarray(image).clip(0, 0xFFFF) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _resized(
    width_and_height: tuple[int, int], size: int | None, shorter_side: bool
) -> tuple[int, int]:
    if size is None:
        return width_and_height
    if not shorter_side:
        return size, size
    scale = size / min(width_and_height)
    width, height = (max(1, round(side * scale)) for side in width_and_height)
    if max(width, height) > MAX_JPEG_SIDE:
        raise ValueError(
            f"{width_and_height[0]} x {width_and_height[1]} pixels are too long and thin for a "
            f"shorter side of {size}"
        )
    return width, height


def image_settings(size: int | None, shorter_side: bool) -> dict[str, Any]:
    """What determines the stored image, for a source's `settings`."""
    return {
        "size": size,
        "shorter_side": shorter_side,
        "resampling": RESAMPLING.name.lower(),
        "jpeg_quality": JPEG_QUALITY,
    }
