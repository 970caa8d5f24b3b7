"""From the release's text files of features to NumPy arrays in the order of the splits."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import remove_partial, write_whole
from tfrecords_tools.lock import one_at_a_time
from tfrecords_tools.sources.nuswide.feature_files import (
    BLOCKS,
    FOLDER,
    NUM_FEATURES,
    find_feature_files,
    read_rows,
)
from tfrecords_tools.sources.nuswide.features import (
    FEATURES_FILE,
    FILENAMES_FILE,
    INFO_FILE,
    LABELS_FILE,
    Features,
    load_features,
)
from tfrecords_tools.sources.nuswide.image_lists import (
    ALL_IMAGES,
    OFFICIAL_LISTS,
    image_list_path,
    read_official_lists,
)
from tfrecords_tools.sources.nuswide.splits import LabelledSplit, load_splits


@one_at_a_time("output")
def write_features(
    input_dir: str | os.PathLike[str],
    output: str | os.PathLike[str],
    split: str = "paper",
    seed: int = 0,
) -> Features:
    """Writes features, labels and file names of each split as NumPy and text files.

    The rows are the images of `NUSWide` with the same `split` and `seed` and no image missing, in
    its order. The values are the release's, not normalized. One of the release's files is in memory
    at a time, up to 0.8 GB.

    Args:
        input_dir: the folder with `ConceptsList`, `Groundtruth`, `ImageList` and
            `Low_Level_Features`; no images are needed.
        output: the folder to write into; it is created if it does not exist.
        split: `"paper"` or `"official"`, as in `NUSWide`.
        seed: seed of the random split and order.

    Returns:
        What `load_features` opens.

    Raises:
        InUse: another process writes to `output`.
        InputError: a file is missing or malformed, or of another length than its list of images,
            or `output` holds such arrays already or cannot be written.

    Example:
        >>> features = write_features("NUS-WIDE", "features", split="official")
        >>> features.train.features.shape  # (125449, 1134) in the whole release
        (18, 1134)
    """
    folder = Path(output)
    if (folder / INFO_FILE).exists():
        raise InputError(f"{folder} holds {INFO_FILE} already; remove the folder or choose another")
    tag_names, splits = load_splits(input_dir, split, seed)
    sizes = find_feature_files(input_dir)
    targets = _target_rows(input_dir, splits)
    files = {
        name: [pattern.format(name) for pattern in (FEATURES_FILE, LABELS_FILE, FILENAMES_FILE)]
        for name in splits
    }
    with ExitStack() as stack:
        try:
            remove_partial(folder)
            # The stack leaves its contexts in reverse order, so that the description comes last.
            temporary = {
                file: stack.enter_context(write_whole(folder / file))
                for file in (INFO_FILE, *(file for some in files.values() for file in some))
            }
            arrays = {name: _begin(temporary, name, part) for name, part in splits.items()}
        except OSError as error:
            num_images = sum(len(part.filenames) for part in splits.values())
            raise InputError(
                f"{folder} cannot be written: {error.strerror}; "
                f"{4 * NUM_FEATURES * num_images / 1e6:,.0f} MB are needed; free some space or "
                "choose another folder"
            ) from error
        feature_files = [(block, *item) for block in BLOCKS for item in block.files.items()]
        for block, official, file in tqdm(feature_files, "features", unit="file", disable=None):
            num_rows = len(targets[official]["train"])
            values = read_rows(Path(input_dir) / FOLDER / file, block.stop - block.start, num_rows)
            for name, rows in targets[official].items():
                arrays[name][rows[rows >= 0], block.start : block.stop] = values[rows >= 0]
        info = {
            "split": split,
            "seed": seed,
            "normalization": "none",
            "features": [block._asdict() for block in BLOCKS],
            "tag_names": tag_names,
            "sources": {f"{FOLDER}/{file}": num_bytes for file, num_bytes in sizes.items()},
            "splits": {
                name: {
                    "num_images": len(part.filenames),
                    "files": {file: temporary[file].stat().st_size for file in files[name]},
                }
                for name, part in splits.items()
            },
        }
        temporary[INFO_FILE].write_text(json.dumps(info, indent=1) + "\n", encoding="utf-8")
    return load_features(folder)


def _target_rows(
    input_dir: str | os.PathLike[str], splits: Mapping[str, LabelledSplit]
) -> dict[str, dict[str, np.ndarray]]:
    """For each row of the release's lists its row in each of our splits, or -1."""
    lists = read_official_lists(input_dir)
    targets: dict[str, dict[str, np.ndarray]] = {name: {} for name in lists}
    for name, part in splits.items():
        rows = {filename: row for row, filename in enumerate(part.filenames)}
        for official, filenames in lists.items():
            targets[official][name] = np.array([rows.pop(file, -1) for file in filenames], np.int64)
        if rows:
            raise InputError(
                f"{next(iter(rows))} is in {image_list_path(input_dir, ALL_IMAGES)}, but neither "
                f"in {' nor in '.join(OFFICIAL_LISTS.values())}, so it has no features; unpack the "
                "release's ImageList again"
            )
    return targets


def _begin(temporary: Mapping[str, Path], name: str, part: LabelledSplit) -> np.ndarray:
    """Writes everything of a split but its features, and returns an array on disk for these."""
    with temporary[LABELS_FILE.format(name)].open("wb") as labels:
        np.save(labels, part.labels)
    lines = "".join(f"{filename}\n" for filename in part.filenames)
    temporary[FILENAMES_FILE.format(name)].write_text(lines, encoding="utf-8")
    path = temporary[FEATURES_FILE.format(name)]
    shape = (len(part.filenames), NUM_FEATURES)
    array = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    if hasattr(os, "posix_fallocate"):
        # Otherwise a disk that fills up later kills the process without a message.
        with path.open("r+b") as features:
            os.posix_fallocate(features.fileno(), 0, path.stat().st_size)
    return array
