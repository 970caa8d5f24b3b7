"""Image files come out upright, gray or RGB, of the wanted size; damaged ones are refused."""

import io
import os
import struct

import numpy as np
import pytest
from PIL import Image, ImageOps
from tfrecords_fixtures import jpeg

from tfrecords_tools.errors import InputError
from tfrecords_tools.images import check_jpeg, load_image
from tfrecords_tools.sources.files import ImageFiles, LabelledImage


def decode(encoded):
    return Image.open(io.BytesIO(encoded))


def pixels_of(path, **options):
    return np.asarray(decode(load_image(path, **options).encoded).convert("RGB"), int)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_jpeg_is_kept_byte_for_byte_if_it_fits(tmp_path, mode):
    path = tmp_path / "a.jpeg"
    Image.open(io.BytesIO(jpeg(0, height=8, width=8))).convert(mode).save(path)
    for options in ({"size": None}, {"size": 8}, {"size": 8, "shorter_side": True}):
        assert load_image(path, **options) == (path.read_bytes(), 8, 8)


def test_sizes(tmp_path):
    (tmp_path / "a.jpeg").write_bytes(jpeg(0, height=30, width=40))
    Image.new("L", (2000, 2)).save(tmp_path / "line.png")
    for options, shape in (
        ({}, (256, 256)),
        ({"size": 15}, (15, 15)),
        ({"size": 15, "shorter_side": True}, (15, 20)),
        ({"size": None}, (30, 40)),
    ):
        assert load_image(tmp_path / "a.jpeg", **options)[1:] == shape
    with pytest.raises(InputError, match=r"line\.png .*2000 x 2 pixels"):
        load_image(tmp_path / "line.png", size=256, shorter_side=True)


def test_shrinking_averages_and_so_does_not_alias(tmp_path):
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[::2] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    pixels = pixels_of(tmp_path / "a.png", size=16)[2:-2]
    np.testing.assert_allclose(pixels, 100, atol=6)


@pytest.mark.parametrize("shape", [(800, 600), (803, 1201)])
def test_large_jpeg_shrinks_like_its_pixels(tmp_path, shape):
    """It is decoded at a reduced size, which must move nothing and hardly change it."""
    height, width = shape
    x, y = np.meshgrid(np.linspace(0, 9, width), np.linspace(0, 7, height))
    waves = np.stack([np.sin(x + y), np.cos(x * 2), np.sin(x * y / 3)], axis=-1)
    path = tmp_path / "a.jpeg"
    Image.fromarray((120 + 100 * waves).astype(np.uint8)).save(path, quality=95)
    buffer = io.BytesIO()
    whole = Image.open(path).resize((64, 64), Image.Resampling.BICUBIC)
    whole.save(buffer, "JPEG", quality=95)
    difference = pixels_of(path, size=64) - np.asarray(decode(buffer.getvalue()), int)
    assert np.abs(difference).mean() < 1
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.2


@pytest.mark.parametrize("mode", ["CMYK", "P", "YCbCr", "1", "L", "LAB"])
@pytest.mark.parametrize("size", [None, 5])
def test_other_kinds_of_image_become_jpeg_of_gray_or_rgb(tmp_path, mode, size):
    name = {"CMYK": "a.jpeg", "YCbCr": "a.jpeg", "LAB": "a.tiff"}.get(mode, "a.png")
    white = Image.new("RGB", (6, 4), "white")
    picture = Image.new("LAB", (6, 4), (255, 128, 128)) if mode == "LAB" else white.convert(mode)
    picture.save(tmp_path / name)
    image = load_image(tmp_path / name, size=size)
    decoded = decode(image.encoded)
    assert (decoded.format, decoded.mode) == ("JPEG", "L" if mode in ("1", "L") else "RGB")
    assert decoded.size == ((6, 4) if size is None else (5, 5))
    assert np.asarray(decoded.convert("RGB"), int).min() >= 250


def halves(path):
    """The upper and the lower half of an image of 8 x 8 pixels, without the edge."""
    pixels = pixels_of(path, size=None)
    return pixels[:3].mean(axis=(0, 1)), pixels[5:].mean(axis=(0, 1))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_shown_on_white(tmp_path, mode):
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 8, 4))
    image.convert(mode).save(tmp_path / "a.png")
    black, white = halves(tmp_path / "a.png")
    assert black.max() < 30 and white.min() > 225


def test_the_upper_8_of_16_bits_are_kept(tmp_path):
    values = np.full((8, 8), 0x8000, np.uint16)
    values[4:] = 0x00FF
    Image.fromarray(values).save(tmp_path / "a.png")
    gray, black = halves(tmp_path / "a.png")
    assert abs(gray - 128).max() < 12 and black.max() < 12


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_the_first_frame_of_an_animation_is_kept(tmp_path, name):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    (red, _, blue), _ = halves(tmp_path / name)
    assert red > 240 and blue < 15


def exif_entry(tag, kind, count, value):
    return struct.pack("<HHI", tag, kind, count) + value


def with_exif(*entries, extra=b"", orientation=6):
    """A JPEG whose left side is black, with an orientation and further entries of EXIF."""
    image = Image.new("RGB", (16, 8), "white")
    image.paste("black", (0, 0, 4, 8))  # with the orientation 6 the left becomes the top
    entries = (exif_entry(0x0112, 3, 1, struct.pack("<HH", orientation, 0)), *entries)
    block = b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4) + extra
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=b"Exif\0\0" + block)
    return buffer.getvalue()


# Values that do not fit lie behind the two entries.
AFTER_ENTRIES = struct.pack("<I", 8 + 2 + 2 * 12 + 4)
ODD_EXIF = {
    "no other": with_exif(),
    "negative in unsigned": with_exif(
        exif_entry(0x011A, 10, 1, AFTER_ENTRIES), extra=struct.pack("<ii", -72, 1)
    ),
    "long in short": with_exif(exif_entry(0x0103, 4, 1, struct.pack("<I", 70_000))),
    "NaN": with_exif(exif_entry(0x011A, 11, 1, struct.pack("<f", float("nan")))),
    "unknown type": with_exif(exif_entry(0x011A, 99, 1, bytes(4))),
    "outside": with_exif(exif_entry(0x8769, 4, 1, struct.pack("<I", 2**31))),
    "endless": with_exif(exif_entry(0x010F, 2, 2**31, struct.pack("<I", 2**31))),
    "its own folder": with_exif(exif_entry(0x8769, 4, 1, struct.pack("<I", 8))),
}


@pytest.mark.parametrize("content", ODD_EXIF.values(), ids=ODD_EXIF)
def test_rotated_photograph_is_turned_upright_whatever_else_its_metadata_say(tmp_path, content):
    (tmp_path / "a.jpeg").write_bytes(content)
    loaded = load_image(tmp_path / "a.jpeg", size=None)
    assert (loaded.height, loaded.width) == (16, 8)
    decoded = decode(loaded.encoded)
    assert decoded.size == (8, 16) and decoded.getexif().get(0x0112, 1) == 1
    pixels = np.asarray(decoded.convert("L"), int)
    assert pixels[:3].max() < 40 and pixels[6:].min() > 215


@pytest.mark.parametrize("name", ["a.jpeg", "a.png", "a.tif", "a.webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_pillow_does(tmp_path, name, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    original = decode(jpeg(0, height=8, width=16))
    original.save(tmp_path / name, exif=exif)
    with Image.open(tmp_path / name) as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored).convert("RGB"), int)
    difference = pixels_of(tmp_path / name, size=None) - expected
    assert difference.shape == ((8, 16, 3) if orientation < 5 else (16, 8, 3))
    # The noise of JPEG only.
    assert np.abs(difference).mean() < 25


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_does_not_exist_means_upright(tmp_path, orientation):
    (tmp_path / "a.jpeg").write_bytes(with_exif(orientation=orientation))
    assert load_image(tmp_path / "a.jpeg", size=None)[1:] == (8, 16)


def test_a_comment_of_any_length_is_dropped(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.gif", comment=b"x" * 70_000)
    assert b"xxxx" not in load_image(tmp_path / "a.gif", size=None).encoded


@pytest.mark.parametrize("sampling", [(4, 2), (2, 4), (3, 1)])
@pytest.mark.parametrize("size", [None, 32])
def test_jpeg_of_unusual_chroma_sampling_is_read(tmp_path, sampling, size):
    # Of one gray, every block is coded alike, so another layout only needs another header.
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (128, 128, 128)).save(buffer, "JPEG", subsampling="4:2:0")
    content = bytearray(buffer.getvalue())
    factors = content.index(b"\xff\xc0") + 11
    assert content[factors] == 0x22
    content[factors] = sampling[0] << 4 | sampling[1]
    (tmp_path / "a.jpeg").write_bytes(content)
    image = load_image(tmp_path / "a.jpeg", size=size)
    assert image[1:] == (size or 64, size or 64)
    # What is stored is read by the fast decoder too, which `verify` uses.
    check_jpeg(image.encoded)
    with Image.open(tmp_path / "a.jpeg") as stored:
        expected = np.asarray(stored.convert("RGB"), int).mean(axis=(0, 1))
    np.testing.assert_allclose(pixels_of(tmp_path / "a.jpeg").mean(axis=(0, 1)), expected, atol=6)


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "a.jpeg")
    (tmp_path / "b.jpeg").symlink_to("/dev/zero")
    for name in ("a.jpeg", "b.jpeg"):
        with pytest.raises(InputError, match=rf"{name} .*regular file"):
            load_image(tmp_path / name)


def damaged_inside(content):
    middle = len(content) // 2
    return content[:middle] + bytes(20) + content[middle + 20 :]


def damaged_png():
    buffer = io.BytesIO()
    Image.open(io.BytesIO(jpeg(0, 64, 64))).save(buffer, "PNG")
    return damaged_inside(buffer.getvalue())


DAMAGED = {
    "empty": b"",
    "a page": b"<html>not found</html>",
    "cut off": jpeg(0, 64, 64)[:-200],
    "damaged inside": damaged_inside(jpeg(0, 64, 64)),
    "damaged header": b"\xff\xd8\xff\xe0" + bytes(40) + jpeg(0)[44:],
    "damaged PNG": damaged_png(),
    "missing": None,
}


@pytest.mark.parametrize("size", [None, 8])
@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_file_is_refused_by_name(tmp_path, content, size):
    path = tmp_path / "broken.jpeg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.jpeg cannot be read as an image: .+"):
        load_image(path, size=size)


def test_decompression_bomb_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    Image.new("1", (150, 150)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(InputError, match=r"bomb\.png .*decompression bomb"):
        load_image(tmp_path / "bomb.png")


def files(folder):
    return ImageFiles(folder, ["cat"], {"train": []}, size=8)


@pytest.mark.parametrize("name", ["../a.jpeg", "sub/../../a.jpeg", "/etc/passwd", "a\0.jpeg"])
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, name):
    (tmp_path / "in").mkdir()
    (tmp_path / "a.jpeg").write_bytes(jpeg(0))
    with pytest.raises(InputError, match="is refused"):
        files(tmp_path / "in").load(LabelledImage(name, ()))


def test_links_that_lead_out_of_the_folder_and_names_that_are_not_utf8_are_refused(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    name = os.fsdecode(b"caf\xe9.jpeg")
    for path in (tmp_path / "secret.jpeg", folder / "whole.jpeg", folder / name):
        path.write_bytes(jpeg(1))
    os.symlink(tmp_path / "secret.jpeg", folder / "out.jpeg")
    os.symlink(folder / "whole.jpeg", folder / "inside.jpeg")
    os.symlink(folder, tmp_path / "link to in")
    with pytest.raises(InputError, match=r"out\.jpeg is refused: .*secret\.jpeg"):
        files(folder).load(LabelledImage("out.jpeg", ()))
    with pytest.raises(InputError, match="not UTF-8"):
        files(folder).load(LabelledImage(name, ()))
    for source in (files(folder), files(tmp_path / "link to in")):
        assert source.load(LabelledImage("inside.jpeg", (0,))).tag_ids == (0,)
