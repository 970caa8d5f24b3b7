"""From the release's text files of features to NumPy arrays in the order of the splits."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import remove_partial, write_whole
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


def write_features(
    input_dir: str | os.PathLike[str],
    output: str | os.PathLike[str],
    split: str = "paper",
    seed: int = 0,
    progress: bool = True,
) -> Features:
    """Writes features, labels and file names of each split as NumPy and text files.

    Rows are the images of `NUSWide` with the same `split` and `seed` and no image missing, in
    its order. The values are the release's, not normalized. Memory stays small: some ten
    megabytes of a file at a time.

    Args:
        input_dir: the folder with `ConceptsList`, `Groundtruth`, `ImageList` and
            `Low_Level_Features`; no images are needed.
        output: the folder to write into; it is made if need be.
        split: `"paper"` or `"official"`, as of `NUSWide`.
        seed: of the random choice and order.
        progress: whether to show a progress bar, if standard error is a terminal.

    Returns:
        What `load_features` opens.

    Raises:
        InputError: a file is missing or malformed, or of another length than its list of images,
            or `output` holds such arrays already or cannot be written.

    Example:
        >>> features = write_features("NUS-WIDE", "features", split="official")
        >>> features.train.features.shape  # (125449, 1134) of the whole release
        (18, 1134)
    """
    folder = Path(output)
    if (folder / INFO_FILE).exists():
        raise InputError(
            f"{folder} holds {INFO_FILE} already; remove the folder, or choose another one"
        )
    tag_names, splits = load_splits(input_dir, split, seed)
    sizes = find_feature_files(input_dir)
    targets = _target_rows(input_dir, splits)
    files = {
        name: [pattern.format(name) for pattern in (FEATURES_FILE, LABELS_FILE, FILENAMES_FILE)]
        for name in splits
    }
    with _write_all_whole(folder, [*chain(*files.values()), INFO_FILE]) as temporary:
        arrays = _begin(folder, temporary, splits)
        with tqdm(
            desc="features",
            total=sum(sizes.values()),
            unit="B",
            unit_scale=True,
            # None: no bar where standard error is not a terminal.
            disable=None if progress else True,
        ) as bar:
            _fill(arrays, Path(input_dir) / FOLDER, targets, bar)
        info = {
            "split": split,
            "seed": seed,
            "normalization": "none",
            "features": [
                {key: value for key, value in block._asdict().items() if key != "files"}
                for block in BLOCKS
            ],
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
    """For each row of the release's lists its row in each of our splits, -1 where it has none."""
    lists = read_official_lists(input_dir)
    targets: dict[str, dict[str, np.ndarray]] = {name: {} for name in lists}
    for name, part in splits.items():
        rows = {filename: row for row, filename in enumerate(part.filenames)}
        for official, filenames in lists.items():
            targets[official][name] = np.array([rows.pop(file, -1) for file in filenames], np.int64)
        if rows:
            raise InputError(
                f"{image_list_path(input_dir, ALL_IMAGES)} names {next(iter(rows))}, but neither "
                f"{' nor '.join(OFFICIAL_LISTS.values())} does, so that it has no features; "
                "unpack the release's ImageList again"
            )
    return targets


def _begin(
    folder: Path, temporary: Mapping[str, Path], splits: Mapping[str, LabelledSplit]
) -> dict[str, np.ndarray]:
    """Writes all but the features, and gives an array on disk to fill for each split."""
    arrays: dict[str, np.ndarray] = {}
    try:
        for name, part in splits.items():
            with temporary[LABELS_FILE.format(name)].open("wb") as labels:
                np.save(labels, part.labels)
            lines = "".join(f"{filename}\n" for filename in part.filenames)
            temporary[FILENAMES_FILE.format(name)].write_text(lines, encoding="utf-8")
            path = temporary[FEATURES_FILE.format(name)]
            shape = (len(part.filenames), NUM_FEATURES)
            arrays[name] = np.lib.format.open_memmap(path, "w+", np.float32, shape)
            if hasattr(os, "posix_fallocate"):
                # Without it, a disk that fills up later kills the process without a word.
                with path.open("r+b") as features:
                    os.posix_fallocate(features.fileno(), 0, path.stat().st_size)
    except OSError as error:
        num_images = sum(len(part.filenames) for part in splits.values())
        raise InputError(
            f"{folder} cannot be written: {error.strerror}; free some space, "
            f"{4 * NUM_FEATURES * num_images / 1e6:,.0f} MB are needed, or choose another folder"
        ) from error
    return arrays


def _fill(
    arrays: Mapping[str, np.ndarray],
    folder: Path,
    targets: Mapping[str, Mapping[str, np.ndarray]],
    bar: tqdm,
) -> None:
    for block in BLOCKS:
        for official, file in block.files.items():
            num_rows = len(next(iter(targets[official].values())))
            for start, values in read_rows(folder / file, block.stop - block.start, num_rows, bar):
                for name, array in arrays.items():
                    rows = targets[official][name][start : start + len(values)]
                    wanted = rows >= 0
                    array[rows[wanted], block.start : block.stop] = values[wanted]


@contextmanager
def _write_all_whole(folder: Path, files: Sequence[str]) -> Iterator[dict[str, Path]]:
    """Gives a temporary path per file; at the end all get their names, in the order of `files`."""
    with ExitStack() as stack:
        try:
            remove_partial(folder)
            # An ExitStack leaves its contexts in reverse.
            paths = {f: stack.enter_context(write_whole(folder / f)) for f in reversed(files)}
        except OSError as error:
            raise InputError(
                f"{folder} cannot be written: {error.strerror}; choose another folder"
            ) from error
        yield paths
