"""COCO: photographs with 80 categories of objects, and any data set in COCO's layout.

T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014:
`annotations/instances_<name>.json` with the images in `<name>/` or `images/<name>/`. An image's
tags are the categories of its annotations; segmentations and boxes are not used.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfrecords_tools.errors import InputError
from tfrecords_tools.regular_files import require_regular
from tfrecords_tools.sources.file_names import files_below
from tfrecords_tools.sources.files import ImageFiles, LabelledImage
from tfrecords_tools.sources.tags import different_in_case_only, distinct_tags

LAYOUT = "annotations/instances_train2017.json and annotations/instances_val2017.json"
# The fields that are read; the segmentations, nearly all of the file, are dropped at once.
FIELDS: dict[str, dict[str, type]] = {
    "images": {"id": int, "file_name": str},
    "annotations": {"image_id": int, "category_id": int},
    "categories": {"id": int, "name": str},
}
KEPT_KEYS = {*FIELDS, *(field for fields in FIELDS.values() for field in fields)}
# JSON can contain these, file names and UTF-8 cannot.
NOT_TEXT = re.compile(r"[\0\ud800-\udfff]")


class COCO(ImageFiles):
    """Reads a folder in COCO's layout, of any year.

    `instances_train*.json` becomes the split `train` and `instances_val*.json` the split `test`,
    as in COCO's public protocol, since its own test images have no public labels; `convert` then
    takes validation images from `train`. Only if there is an `instances_test*.json` too, `val`
    becomes `validation`.

    Tags are ordered by category id. Objects marked as a crowd count like others. Images without
    annotations are left out, as in NUS-WIDE: COCO 2017 then has 117,266 and 4,952 images.

    Args:
        input_dir: the folder with `annotations` and the folders of images.
        size: side of the square that images are resized to, in pixels; None keeps their sizes.
        shorter_side: resize the shorter side to `size` instead and keep the aspect ratio.
        keep_untagged: keep images without annotations.

    Attributes:
        notes: what the user should know, one line each.

    Raises:
        InputError: a file or folder is missing, a file is not JSON or lacks a field, ids are
            inconsistent, the files have different categories, or no image exists.

    Example:
        >>> source = COCO("coco", size=256)
        >>> source.splits["train"][0]
        LabelledImage(filename='train2017/000000000007.jpg', tag_ids=(0, 2), unknown_ids=())
    """

    def __init__(
        self,
        input_dir: str | os.PathLike[str],
        size: int | None = 256,
        shorter_side: bool = False,
        keep_untagged: bool = False,
    ) -> None:
        directory = Path(input_dir)
        paths = _annotation_files(directory)
        categories: dict[int, str] = {}
        splits: dict[str, list[LabelledImage]] = {}
        self.notes: list[str] = []
        for split, path in paths.items():
            found, images = _read(path, _image_folder(directory, path))
            if splits and found != categories:
                raise InputError(
                    f"{path} has other categories than {paths['train']}; expected the same ids "
                    "and names in all files"
                )
            categories = found
            splits[split] = [image for image in images if keep_untagged or image.tag_ids]
            if num_left_out := len(images) - len(splits[split]):
                self.notes.append(f"{split}: images without annotations left out: {num_left_out:,}")
        if same := different_in_case_only(categories.values()):
            self.notes.append(f"categories that differ in case only: {', '.join(map(repr, same))}")
        files = {split: path.name for split, path in paths.items()}
        settings = {**files, "keep_untagged": keep_untagged}
        super().__init__(directory, list(categories.values()), splits, size, shorter_side, settings)


def _annotation_files(directory: Path) -> dict[str, Path]:
    """The file of each split."""
    found: dict[str, Path] = {}
    for path in sorted((directory / "annotations").glob("instances_*.json")):
        name = path.stem.removeprefix("instances_").lower()
        part = next((part for part in ("train", "val", "test") if name.startswith(part)), None)
        if part is None:
            raise InputError(
                f"{path}: expected instances_train*.json, instances_val*.json or "
                "instances_test*.json; rename it or move it away"
            )
        if part in found:
            raise InputError(
                f"{path} and {found[part].name} are both for {part}; move one of them away"
            )
        found[part] = path
    if "train" not in found or len(found) == 1:
        there = ", ".join(path.name for path in found.values()) or "no instances_*.json"
        raise InputError(f"{directory}: expected {LAYOUT}, found {there}")
    if "test" not in found:
        return {"train": found["train"], "test": found["val"]}
    names = {"train": "train", "val": "validation", "test": "test"}
    return {split: found[part] for part, split in names.items() if part in found}


def _image_folder(directory: Path, path: Path) -> str:
    name = path.stem.removeprefix("instances_")
    for folder in (name, f"images/{name}"):
        if (directory / folder).is_dir():
            return folder
    raise InputError(
        f"{directory / name} is missing; expected the images of {path.name} there or in "
        f"{directory / 'images' / name}"
    )


def _read(path: Path, image_folder: str) -> tuple[dict[int, str], list[LabelledImage]]:
    """The names of the categories by their ids, ascending, and the images."""
    content = _read_json(path)
    entries = list(_entries(path, content, "categories"))
    tags_of_categories = distinct_tags((where, entry["name"]) for where, entry in entries)
    names: dict[int, str] = {}
    for (where, entry), name in zip(entries, tags_of_categories, strict=True):
        if entry["id"] in names:
            raise InputError(f"{where}: the category id {entry['id']} occurs twice")
        names[entry["id"]] = name
    # COCO's ids have gaps.
    categories = dict(sorted(names.items()))
    tag_ids = {category_id: index for index, category_id in enumerate(categories)}

    on_disk = files_below(path.parent.parent / image_folder)
    filenames: dict[int, str] = {}
    for where, entry in _entries(path, content, "images"):
        if entry["id"] in filenames:
            raise InputError(f"{where}: the image id {entry['id']} occurs twice")
        name = on_disk.find(entry["file_name"]) or entry["file_name"]
        filenames[entry["id"]] = f"{image_folder}/{name}"
    filename, count = Counter(filenames.values()).most_common(1)[0] if filenames else ("", 0)
    if count > 1:
        raise InputError(f"{path}: the file name {filename!r} occurs twice in images")

    tags: dict[int, set[int]] = {image_id: set() for image_id in filenames}
    for where, entry in _entries(path, content, "annotations"):
        if entry["image_id"] not in tags:
            raise InputError(f"{where}: image_id {entry['image_id']} is not the id of an image")
        if entry["category_id"] not in tag_ids:
            raise InputError(f"{where}: category_id {entry['category_id']} is not a category's id")
        tags[entry["image_id"]].add(tag_ids[entry["category_id"]])
    images = [
        LabelledImage(filename, tuple(sorted(tags[image_id])))
        for image_id, filename in filenames.items()
    ]
    # A few missing images are rejected one by one; if none exists, something else is wrong.
    directory = path.parent.parent
    if images and not any(os.path.isfile(directory / image.filename) for image in images):
        raise InputError(
            f"none of the {len(images):,} images of {path.name} exists; expected for example "
            f"{directory / images[0].filename}"
        )
    return categories, images


def _read_json(path: Path) -> Any:
    require_regular(path)
    try:
        with path.open(encoding="utf-8") as file:
            # For COCO's 450 MB this needs less than 1 GB of memory instead of 3.
            return json.load(file, object_hook=_without_other_keys)
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is not UTF-8"
    except json.JSONDecodeError as error:
        reason = str(error)
    except RecursionError:
        reason = "nested too deeply"
    raise InputError(f"{path} is not valid JSON: {reason}; is it cut off? Unpack it again")


def _without_other_keys(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key in KEPT_KEYS}


def _entries(path: Path, content: Any, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The entries of a list, each with its place for messages, after a check of its fields."""
    entries = content.get(key) if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise InputError(
            f"{path} has no list {key!r}; expected COCO's instances: an object with the lists "
            f"{', '.join(FIELDS)}"
        )
    for index, entry in enumerate(entries):
        where = f"{path}, {key}[{index}]"
        for field, kind in FIELDS[key].items():
            value = entry.get(field) if isinstance(entry, dict) else None
            if not isinstance(value, kind) or (isinstance(value, str) and NOT_TEXT.search(value)):
                expected = "an integer" if kind is int else "text"
                raise InputError(f"{where}: expected {field} to be {expected}, found {value!r:.60}")
        yield where, entry
