"""Reading image files: checked in full, upright, resized if wanted, always as JPEG."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import simplejpeg
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from tfrecords_tools.errors import InputError

RESAMPLING = Image.Resampling.BICUBIC
JPEG_QUALITY = 95
LARGEST_JPEG_SIDE = 65_500
# Of 16 MB each.
KEPT_BLOCKS = 4
# What sources put into their settings.
ENCODING = {"resampling": RESAMPLING.name.lower(), "jpeg_quality": JPEG_QUALITY}


class EncodedImage(NamedTuple):
    """A JPEG file in memory, with its height and width in pixels."""

    encoded: bytes
    height: int
    width: int


def load_image(path: Path, size: int | None = 256, shorter_side: bool = False) -> EncodedImage:
    """Reads an image file and decodes it once in full to check it.

    A JPEG file that is upright and of the right size is kept byte for byte; all else is encoded
    as JPEG of quality 95. Of JPEG files more than twice as large as wanted a reduced size is
    decoded, still at least twice as large. Photographs are turned upright by their EXIF
    orientation; transparent pixels are shown on white; of 16 bits a channel the upper 8 are kept;
    of an animation the first frame. Gray stays gray, all other colours become RGB.

    Args:
        path: the file, in any format that Pillow reads.
        size: side in pixels of the square that images are resized to, without keeping the aspect
            ratio as the paper does, by antialiased bicubic resampling; None to keep their sizes.
        shorter_side: resize the shorter side to `size` instead and keep the aspect ratio.

    Raises:
        InputError: the file is missing, damaged, not an image, of more than about 179 million
            pixels (a decompression bomb), or too long and thin to be resized.

    Example:
        >>> load_image(Path("cat.jpg"), size=256).height
        256
    """
    try:
        content = path.read_bytes()
        with warnings.catch_warnings():
            # Pillow warns of oddities in metadata; what it cannot read it raises.
            warnings.simplefilter("ignore")
            return _load(content, size, shorter_side)
    except UnidentifiedImageError:
        what = "it is empty" if not content else "it is no image of a known format"
        raise InputError(f"{path} cannot be read as an image: {what}") from None
    # Pillow raises SyntaxError for some broken PNG files, and ValueError, struct.error,
    # IndexError and others for some broken headers; whatever it is, this image is damaged.
    except (OSError, Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read as an image: {reason}") from error
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise InputError(f"{path} cannot be read as an image: {error}") from error


def _load(content: bytes, size: int | None, shorter_side: bool) -> EncodedImage:
    with Image.open(io.BytesIO(content)) as stored:
        if stored.format == "PNG":
            # Checks the file's checksums, which decoding does not.
            Image.open(io.BytesIO(content)).verify()
        upright = _is_upright(stored)
        is_plain_jpeg = stored.format in ("JPEG", "MPO") and stored.mode in ("L", "RGB")
        if is_plain_jpeg and upright:
            wanted = _resized(stored.size, size, shorter_side)
            if stored.size == wanted:
                check_jpeg(content)
                return EncodedImage(content, stored.height, stored.width)
            image = _resized_jpeg(content, stored.mode, stored.size, wanted)
        else:
            if is_plain_jpeg:
                check_jpeg(content)
            stored.load()
            image = _gray_or_rgb(stored if upright else ImageOps.exif_transpose(stored))
            image = image.resize(_resized(image.size, size, shorter_side), RESAMPLING)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return EncodedImage(buffer.getvalue(), image.height, image.width)


def keep_image_memory() -> None:
    """Makes Pillow keep the memory of images for the next ones, as worker processes should.

    Getting it from the system anew for every image takes a fifth of the time of a resize.
    """
    Image.core.set_blocks_max(KEPT_BLOCKS)


def check_jpeg(content: bytes) -> None:
    """Reads every coefficient of a JPEG file, gray or colour.

    Pillow and TensorFlow pass over damaged data inside a file; this does not.

    Raises:
        ValueError: the data are damaged or cut off.
    """
    # Decoded at an eighth of its size: all data are read, but there is less to compute.
    simplejpeg.decode_jpeg(content, "GRAY", min_height=1, min_width=1, min_factor=1)


def _resized_jpeg(
    content: bytes, mode: str, full: tuple[int, int], wanted: tuple[int, int]
) -> Image.Image:
    """Decodes an upright JPEG file, strictly as `check_jpeg` does, and resizes it.

    A large one is decoded at the smallest number of eighths of its size that leaves at least twice
    the pixels a side that are wanted: much faster, and hardly to be seen after resampling.
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


def _is_upright(image: Image.Image) -> bool:
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1) in (0, 1)
    except Exception:  # damaged metadata of a picture that may be whole
        return True


def _gray_or_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers of no known range")
    if image.mode.startswith("I"):
        # Pillow itself would cut all values off at 255.
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
    if max(width, height) > LARGEST_JPEG_SIDE:
        raise ValueError(
            f"{width_and_height[0]} x {width_and_height[1]} pixels are too long and thin to be "
            f"resized to a shorter side of {size}"
        )
    return width, height


def image_settings(size: int | None, shorter_side: bool) -> dict[str, Any]:
    """What decides the stored image, for a source's `settings`."""
    return {"size": size, "shorter_side": shorter_side, **ENCODING}
