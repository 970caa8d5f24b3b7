"""Image files come out upright, RGB or gray, of the wanted size; damaged ones are refused."""

import io

import numpy as np
import pytest
from PIL import Image
from tfrecords_fixtures import jpeg

from tfrecords_tools.errors import InputError
from tfrecords_tools.images import load_image


def decode(encoded):
    return Image.open(io.BytesIO(encoded))


def test_file_is_kept_as_it_is_when_it_fits(tmp_path):
    path = tmp_path / "a.jpeg"
    path.write_bytes(jpeg(0, height=8, width=8))
    for size in (None, 8):
        assert load_image(path, size) == (path.read_bytes(), 8, 8)


def test_resizing_averages_areas(tmp_path):
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, 8:] = 200
    pixels[::2, 8:] = 100
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image = load_image(tmp_path / "a.png", size=2)
    assert (image.height, image.width) == (2, 2)
    gray = np.asarray(decode(image.encoded).convert("L"), int)
    np.testing.assert_allclose(gray, [[0, 150], [0, 150]], atol=4)


@pytest.mark.parametrize("mode", ["CMYK", "P", "RGBA", "LA", "I;16"])
def test_other_kinds_of_image_become_rgb(tmp_path, mode):
    name = "a.jpeg" if mode == "CMYK" else "a.png"
    Image.new(mode, (6, 4)).save(tmp_path / name)
    image = decode(load_image(tmp_path / name).encoded)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (6, 4))


def test_rotated_photograph_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 4)).save(tmp_path / "a.jpeg", exif=exif)
    image = load_image(tmp_path / "a.jpeg")
    assert (image.height, image.width) == (6, 4)
    assert decode(image.encoded).size == (4, 6)
    assert decode(image.encoded).getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", jpeg(0)[:-200], None])
def test_damaged_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "broken.jpeg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="broken.jpeg cannot be read as an image"):
        load_image(path, size=8)
