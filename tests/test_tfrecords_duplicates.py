"""Images in two splits are found: the same file, and copies that were saved or resized again."""

import io
import re

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageDraw

from tfrecords_tools.convert import convert
from tfrecords_tools.duplicates import (
    FINGERPRINT,
    MAX_DISTANCE,
    near_duplicates,
    perceptual_hash,
    same_files,
)
from tfrecords_tools.schema import Record
from tfrecords_tools.verify import verify


def picture(seed, width=192, height=160):
    """Overlapping ellipses of random colors: shapes as in a photograph."""
    chance = np.random.default_rng(seed)
    image = Image.new("RGB", (width, height), tuple(chance.integers(0, 256, 3).tolist()))
    draw = ImageDraw.Draw(image)
    for _ in range(30):
        x, y = chance.uniform(-0.2, 1, 2) * (width, height)
        w, h = chance.uniform(0.1, 0.6, 2) * (width, height)
        draw.ellipse((x, y, x + w, y + h), fill=tuple(chance.integers(0, 256, 3).tolist()))
    return image


def encode(image, quality=95):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def hash_of(encoded):
    height, width = simplejpeg.decode_jpeg_header(encoded)[:2]
    gray = simplejpeg.decode_jpeg(encoded, "GRAY", min_height=32, min_width=32, min_factor=1)
    return perceptual_hash(gray[..., 0], height, width)


def distance(one, other):
    return int(np.bitwise_count(one ^ other).sum())


@pytest.fixture(scope="module")
def hashes():
    return [hash_of(encode(picture(seed))) for seed in range(60)]


@pytest.mark.parametrize("size", [(192, 160), (200, 167), (181, 150), (333, 250), (96, 80)])
def test_copies_of_other_sizes_and_qualities_have_nearly_the_same_hash(hashes, size):
    for seed in range(20):
        copy = encode(picture(seed).resize(size, Image.Resampling.BICUBIC), quality=60)
        assert distance(hashes[seed], hash_of(copy)) <= MAX_DISTANCE


def test_different_pictures_have_different_hashes(hashes):
    distances = [distance(a, b) for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(distances) > 20


def fingerprints(contents, hashes):
    result = np.zeros(len(contents), FINGERPRINT)
    result["content"], result["perceptual"] = contents, hashes
    return result


def test_first_same_file_is_found():
    earlier = fingerprints([5, 7, 5, 0], 0)
    later = fingerprints([7, 5, 6, 0], 0)
    assert same_files(earlier, later).tolist() == [1, 0, -1, -1]
    assert same_files(earlier[:0], later).tolist() == [-1] * 4
    assert same_files(earlier, later[:0]).tolist() == []


def flipped(hashes, num_bits, chance):
    """Flips so many of the 128 bits of each hash."""
    bits = np.unpackbits(hashes.view(np.uint8), axis=1)
    for row in bits:
        row[chance.choice(128, num_bits, replace=False)] ^= 1
    return np.packbits(bits, axis=1).view(np.uint16)


def test_every_hash_within_seven_bits_is_found_among_thousands():
    chance = np.random.default_rng(0)
    hashes = chance.integers(1, 1 << 16, (6000, 8), np.uint16)
    hashes[:1000, 0] = 1  # many with the same band
    earlier = fingerprints(range(6000), hashes)
    rows = chance.permutation(6000)
    later = fingerprints(range(6000), flipped(hashes[rows], 7, chance))
    assert near_duplicates(earlier, later).tolist() == rows.tolist()
    far = fingerprints(range(6000), flipped(hashes[rows], 13, chance))
    assert (near_duplicates(earlier, far) == -1).all()


def test_images_of_one_color_are_no_near_duplicates():
    black, blue = (encode(Image.new("RGB", (64, 64), color)) for color in ("black", "blue"))
    assert not hash_of(black).any()
    one, other = (fingerprints([1], hash_of(encoded)) for encoded in (black, blue))
    assert near_duplicates(one, other).tolist() == [-1]


class Leaking:
    """Test images of which some are in the training split too; items are (name, file)."""

    tag_names = ["tag"]

    def __init__(self, train, test):
        validation = {"other.jpeg": encode(picture(200))}
        parts = {"train": train, "validation": validation, "test": test}
        self.splits = {name: list(part.items()) for name, part in parts.items()}

    def load(self, item):
        name, encoded = item
        height, width = simplejpeg.decode_jpeg_header(encoded)[:2]
        return Record(encoded, name, height, width, (0,))


def verified(folder, train, test):
    source = Leaking(train, test)
    convert(source, folder, name="leaking", settings={}, workers=1)
    return verify(folder)


def test_same_image_in_two_splits_is_a_finding_and_a_similar_one_a_warning(tmp_path):
    image = encode(picture(0))
    train = {f"{seed}.jpeg": encode(picture(seed)) for seed in range(8)} | {"0 again.jpeg": image}
    test = {
        "new.jpeg": encode(picture(100)),
        "copy.jpeg": train["3.jpeg"],
        "again.jpeg": encode(picture(5).resize((180, 150)), quality=60),
    }
    (finding,), (warning,) = verified(tmp_path, train, test)
    # Two copies in one split are not leakage.
    assert re.findall(r"test\S+, record 0 \(copy.jpeg\).*train\S+, record 1 \(3.jpeg\)", finding)
    assert re.findall(r"test\S+, record 0 \(again.jpeg\).*train\S+, record 1 \(5.jpeg\)", warning)
