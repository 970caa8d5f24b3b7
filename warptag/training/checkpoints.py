"""Checkpoints: everything a run goes on from, in one file that is whole or not there."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfrecords_tools.errors import InputError
from warptag.files import write_whole

#: The newest, and the one before it should the newest turn out damaged.
NUM_KEPT = 2
_NAME = re.compile(r"checkpoint-(\d+)\.npz")


def save_checkpoint(
    directory: Path, step: int, variables: Sequence[keras.Variable], progress: dict[str, Any]
) -> None:
    """Write `checkpoint-STEP.npz`, then remove all but the newest two.

    Args:
        directory: the run's folder.
        step: training steps done.
        variables: whose values are stored, in order.
        progress: what else a run goes on from, as JSON values.

    Raises:
        InputError: the file cannot be written; the checkpoints before it stand.
    """
    path = directory / f"checkpoint-{step:09d}.npz"
    save_values(path, variables, progress)
    # Those of later steps were damaged, or the run would have gone on from them.
    later = [found for found in _paths(directory) if found.name > path.name]
    before = [found for found in _paths(directory) if found.name <= path.name]
    for old in [*later, *before[NUM_KEPT:]]:
        old.unlink(missing_ok=True)


def save_values(path: Path, variables: Sequence[keras.Variable], progress: dict[str, Any]) -> None:
    """Write the values of variables, and JSON values beside them, to one NPZ file.

    Not by Keras: on a full disk HDF5 ends the process.

    Raises:
        InputError: the file cannot be written.
    """
    arrays = {
        f"variable_{number}": keras.ops.convert_to_numpy(variable)
        for number, variable in enumerate(variables)
    }

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:
            np.savez(file, progress=np.array(json.dumps(progress)), **arrays)

    write_or_say(path, write)


def load_values(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    """What `save_values` wrote; each array is checked against its checksum."""
    with np.load(path, allow_pickle=False) as content:
        progress = json.loads(str(content["progress"]))
        return [content[f"variable_{i}"] for i in range(len(content.files) - 1)], progress


def write_or_say(path: Path, write: Callable[[Path], object]) -> None:
    """As `write_whole`; InputError where the disk does not take the file."""
    try:
        write_whole(path, write)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}); checkpoints before it stand: "
            "make room, or whatever the disk lacks, and run the same command again"
        ) from error


def load_checkpoint(directory: Path) -> tuple[list[np.ndarray], dict[str, Any]] | None:
    """The values and the progress of the newest checkpoint that is whole; None where none is."""
    for path in _paths(directory):
        try:
            return load_values(path)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            continue
    return None


def restore(variables: Sequence[keras.Variable], values: Sequence[np.ndarray]) -> None:
    """Assign the values of a checkpoint, in the strategy's scope.

    Raises:
        InputError: they are not this model's.
    """
    expected = [tuple(variable.shape) for variable in variables]
    found = [value.shape for value in values]
    if expected != found:
        raise InputError(
            f"the checkpoint is of another model: {len(found)} variables, {found[:3]} ..., "
            f"expected {len(expected)}, {expected[:3]} ...; choose another --output, or begin anew "
            "with --restart"
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def remove_checkpoints(directory: Path) -> None:
    """Remove all checkpoints of the folder."""
    for path in _paths(directory):
        path.unlink(missing_ok=True)


def _paths(directory: Path) -> list[Path]:
    """The checkpoints of the folder, the newest first."""
    found = [path for path in directory.glob("checkpoint-*.npz") if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: path.name, reverse=True)
