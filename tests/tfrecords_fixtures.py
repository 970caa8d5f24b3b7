"""Small generated data sets in the layouts of the real ones."""

from __future__ import annotations

import io
import json
import os
import sys
import zlib
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from tfrecords_tools.convert import convert
from tfrecords_tools.images import load_image
from tfrecords_tools.schema import Record


def jpeg(seed: int, height: int = 12, width: int = 18) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Pictures:
    """A source of pictures in a folder, numbered through all splits; picture i has the tag i % 3.

    With `num_validation` 0 it has no validation pictures of its own.
    """

    tag_names = ["sky", "sea", "tree"]

    def __init__(
        self, folder: Path, num_train: int = 40, num_validation: int = 5, num_test: int = 10
    ) -> None:
        folder.mkdir(exist_ok=True)
        numbers = iter(range(num_train + num_validation + num_test))
        train, validation, test = (
            list(islice(numbers, count)) for count in (num_train, num_validation, num_test)
        )
        for index in [*train, *validation, *test]:
            (folder / f"{index}.jpeg").write_bytes(jpeg(index))
        self.folder = folder
        own = {"validation": validation} if num_validation else {}
        self.splits = {"train": train, **own, "test": test}

    def load(self, item: int) -> Record:
        image = load_image(self.folder / f"{item}.jpeg", size=8)
        return Record(image.encoded, f"{item}.jpeg", image.height, image.width, (item % 3,))


class PicturesWithoutTensorFlow(Pictures):
    def load(self, item: int) -> Record:
        if "tensorflow" in sys.modules:
            raise RuntimeError("a worker process has imported TensorFlow")
        return super().load(item)


class Killed(Pictures):
    """Here, since a worker process would import TensorFlow with a module of tests."""

    def load(self, item: int) -> Record:
        os._exit(9)  # as the system does when memory runs out


def write_corel5k(root: Path) -> Path:
    """4 training images and 2 test images; CRLF and trailing blanks as in the real files."""
    folder = root / "corel5k"
    labels = {
        "train": ["1000 1 2 3 4 ", "1003 4 3  ", "1004 1    ", "1005 2 4  "],
        "test": ["2000 1 2 2  ", "2001 3    "],
    }
    for split, lines in labels.items():
        images = folder / "db" / split
        images.mkdir(parents=True)
        for line in lines:
            image_id = line.split()[0]
            (images / f"{image_id}.jpeg").write_bytes(jpeg(int(image_id)))
    (folder / "labels").mkdir()
    (folder / "labels" / "words").write_bytes(b"city\r\nmountain\r\nsky\r\nsun\r\n")
    for file, split in (("training_label", "train"), ("test_label", "test")):
        text = "".join(f"{line}\r\n" for line in labels[split])
        (folder / "labels" / file).write_bytes(text.encode())
    return folder


CONCEPTS = ["animal", "boats", "clouds"]
CATEGORIES = ["actor", "zoos"]


def nuswide_labels(num_images: int) -> np.ndarray:
    """Every fourth image has no tag; of the others image i has tag i % 3, some also tag 0."""
    labels = np.zeros((num_images, len(CONCEPTS)), np.uint8)
    rows = np.arange(num_images)
    labels[rows, rows % 3] = 1
    labels[rows % 5 == 0, 0] = 1
    labels[rows % 4 == 3] = 0
    return labels


def nuswide_filenames(num_images: int) -> list[str]:
    """The images from 37 on have photo ids that others have, as six of the release's do."""
    return [f"{CATEGORIES[i % 2]}/{i:04d}_{i % 37}.jpg" for i in range(num_images)]


def write_nuswide(root: Path, num_images: int = 40, num_missing: int = 0) -> Path:
    """The release's layout; the first 60 percent of the images are the official training set."""
    folder = root / "NUS-WIDE"
    labels = nuswide_labels(num_images)
    filenames = [name.replace("/", "\\") for name in nuswide_filenames(num_images)]
    num_train = num_images * 6 // 10
    parts = {"": slice(None), "Train": slice(num_train), "Test": slice(num_train, None)}

    for name in ("ConceptsList", "ImageList", "Groundtruth/AllLabels"):
        (folder / name).mkdir(parents=True)
    (folder / "Groundtruth" / "TrainTestLabels").mkdir()
    (folder / "ConceptsList" / "Concepts81.txt").write_text("\n".join(CONCEPTS) + "\n")
    for part, rows in parts.items():
        list_name = f"{part}Imagelist.txt" if part else "Imagelist.txt"
        lines = "".join(f"{name}\r\n" for name in filenames[rows])
        (folder / "ImageList" / list_name).write_bytes(lines.encode())
        for concept, column in zip(CONCEPTS, labels[rows].T, strict=True):
            name = (
                f"TrainTestLabels/Labels_{concept}_{part}.txt"
                if part
                else f"AllLabels/Labels_{concept}.txt"
            )
            text = "".join(f"{value}\n" for value in column)
            (folder / "Groundtruth" / name).write_text(text)
    for category in CATEGORIES:
        (folder / "Flickr" / category).mkdir(parents=True)
    for index, filename in enumerate(filenames[num_missing:]):
        (folder / "Flickr" / filename.replace("\\", "/")).write_bytes(jpeg(index))
    return folder


class Striped:
    """Pictures of one colour a tag (red, green, blue), one or two tags each: easy to learn."""

    tag_names = ["red", "green", "blue"]

    def __init__(self, num_train: int = 256, num_test: int = 40) -> None:
        self.splits = {
            "train": list(range(num_train)),
            "test": list(range(num_train, num_train + num_test)),
        }

    def load(self, item: int) -> Record:
        rng = np.random.default_rng(item)
        tags = tuple(sorted(rng.choice(3, size=rng.integers(1, 3), replace=False).tolist()))
        pixels = rng.integers(0, 60, (20, 20, 3), np.uint8)
        for stripe, tag in enumerate(tags):
            pixels[stripe * 10 : stripe * 10 + 10, :, tag] += 180
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
        return Record(buffer.getvalue(), f"{item}.jpeg", 20, 20, tags)


def convert_striped(folder: Path) -> Path:
    convert(Striped(), folder, name="striped", settings={}, workers=1)
    return folder


def write_photographs(folder: Path, *names: str) -> Path:
    """Different JPEG pictures of these names, which may have folders in them."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(zlib.crc32(f"{folder.name}/{name}".encode())))
    return folder


def write_coco(root: Path) -> Path:
    """4 training and 2 validation images, 3 categories; one image in each has no annotation."""
    folder = root / "coco"
    # The ids have gaps and are not in order, as in COCO.
    categories = [{"id": 18, "name": "dog"}, {"id": 1, "name": "person"}, {"id": 90, "name": "cup"}]
    annotated = {
        "train2017": {7: [90, 1, 1], 3: [18], 9: [], 4: [1]},
        "val2017": {5: [1, 18], 6: []},
    }
    (folder / "annotations").mkdir(parents=True)
    for name, images in annotated.items():
        write_photographs(folder / name, *(f"{image_id:012d}.jpg" for image_id in images))
        content = {
            "info": {"year": 2017},
            "images": [
                {"id": image_id, "file_name": f"{image_id:012d}.jpg", "height": 12, "width": 18}
                for image_id in images
            ],
            "annotations": [
                {"id": 100 * image_id + index, "image_id": image_id, "category_id": category}
                | {"iscrowd": index % 2, "segmentation": [[1.5, 2.0, 3.0, 4.0]], "area": 2.5}
                for image_id, image_categories in images.items()
                for index, category in enumerate(image_categories)
            ],
            "categories": categories,
        }
        path = folder / "annotations" / f"instances_{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
    return folder


def nuswide_features(num_images: int) -> np.ndarray:
    """Random features in the release's 1,134 columns; the first three say the tags, noisily."""
    rng = np.random.default_rng(0)
    features = rng.random((num_images, 1134)).astype(np.float32)
    features[:, 634:] = rng.poisson(0.5, (num_images, 500))  # the bag of words are whole numbers
    labels = nuswide_labels(num_images)
    features[:, : labels.shape[1]] += 50 * labels
    return features


def write_nuswide_features(folder: Path, num_images: int = 40) -> Path:
    """The twelve files of low-level features beside what `write_nuswide` wrote."""
    features = nuswide_features(num_images)
    num_train = num_images * 6 // 10
    (folder / "Low_Level_Features").mkdir()
    start = 0
    for pattern, width in (
        ("{}_Normalized_CH.dat", 64),
        ("{}_Normalized_CORR.dat", 144),
        ("{}_Normalized_EDH.dat", 73),
        ("{}_Normalized_WT.dat", 128),
        ("{}_Normalized_CM55.dat", 225),
        ("BoW_{}_int.dat", 500),
    ):
        write = int if pattern.startswith("BoW") else str
        for part, rows in (("Train", slice(num_train)), ("Test", slice(num_train, None))):
            block = features[rows, start : start + width]
            # A blank after each number, the last one too.
            text = "".join("".join(f"{write(value)} " for value in row) + "\n" for row in block)
            (folder / "Low_Level_Features" / pattern.format(part)).write_text(text)
        start += width
    return folder
