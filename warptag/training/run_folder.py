"""The folder of a run: its settings, its model, and what happens to an earlier run in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import keras
import pandas as pd

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import read_json, remove_partial, write_json
from warptag.training.calibration import CALIBRATION
from warptag.training.checkpoint import HISTORY, TIMING, checkpoints

SETTINGS, MODEL, MEASURED, TEST_SCORES = (
    "settings.json",
    "model.keras",
    "run.json",
    "test_scores.npy",
)

OnExisting = Literal["refuse", "replace_if_changed", "replace"]


class OtherRun(InputError):
    """A folder contains a run with other settings, which may not be replaced.

    Example:
        >>> raise OtherRun("models/warp contains a run with other settings")
        Traceback (most recent call last):
            ...
        warptag.training.run_folder.OtherRun: models/warp contains a run with other settings
    """


def claim(directory: Path, settings: dict[str, Any], on_existing: OnExisting) -> None:
    """Prepares the folder for a run, and removes the files of an earlier run that it replaces.

    Args:
        directory: the folder, which is made if it does not exist.
        settings: everything that determines the run, as JSON values.
        on_existing: what happens to an earlier run in the folder. "refuse" raises an error if its
            settings differ, "replace_if_changed" replaces it if its settings differ, "replace"
            always replaces it.

    Raises:
        OtherRun: the folder contains a run with other settings.
    """
    directory.mkdir(parents=True, exist_ok=True)
    wanted = json.loads(json.dumps(settings))
    remove_partial(directory)
    found = read_json(directory / SETTINGS)
    if found == wanted and on_existing != "replace":
        return
    holds_something = (directory / MODEL).exists() or bool(checkpoints(directory))
    if on_existing == "refuse" and holds_something:
        differences = "they cannot be read" if found is None else _differences(found, wanted)
        raise OtherRun(f"{directory} contains a run with other settings ({differences})")
    # First, since without it the other files belong to no run.
    (directory / SETTINGS).unlink(missing_ok=True)
    for path in [*checkpoints(directory), *(directory / name for name in (MODEL, HISTORY, TIMING))]:
        path.unlink(missing_ok=True)
    shutil.rmtree(directory / "tensorboard", ignore_errors=True)
    remove_made_of_model(directory)
    write_json(directory / SETTINGS, wanted)


def remove_made_of_model(directory: Path) -> None:
    """Removes the files that were made with an earlier model of the folder."""
    for name in (CALIBRATION, MEASURED, TEST_SCORES):
        (directory / name).unlink(missing_ok=True)
    shutil.rmtree(directory / "export", ignore_errors=True)


def load_finished(directory: Path) -> tuple[keras.Model, pd.DataFrame]:
    """Loads the model and the history of a finished run.

    Raises:
        InputError: one of them cannot be read.
    """
    model = _load_model(directory)
    try:
        return model, pd.read_csv(directory / HISTORY)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{directory / HISTORY} of the finished run cannot be read "
            f"({str(error).splitlines()[0][:200]}); remove the folder and train again"
        ) from error


def load_run(run: Path) -> tuple[keras.Model, dict[str, Any]]:
    """Loads the model of a finished run, and the settings it was trained with.

    Args:
        run: the folder of the run.

    Raises:
        InputError: it is not the folder of a run, the run is not finished, or the model cannot be
            read.

    Example:
        >>> model, settings = load_run(Path("results/scenes/models/warp"))  # doctest: +SKIP
    """
    settings = read_json(run / SETTINGS)
    if not isinstance(settings, dict) or not isinstance(settings.get("tag_names"), list):
        raise InputError(
            f"{run} is not the folder of a trained run; expected one with {SETTINGS} and {MODEL}, "
            "such as results/scenes/models/warp"
        )
    if not (run / MODEL).exists():
        raise InputError(
            f"{run}: the run is not finished, since {MODEL} is missing; repeat the command that "
            "started it, which resumes from the last checkpoint"
        )
    return _load_model(run), settings


def _load_model(run: Path) -> keras.Model:
    try:
        return keras.saving.load_model(run / MODEL, compile=False)
    # Keras raises many kinds of errors for a damaged file.
    except Exception as error:
        written = (read_json(run / MEASURED) or {}).get("keras")
        version = f"; it was written by Keras {written}, but {keras.__version__} is installed"
        raise InputError(
            f"{run / MODEL} cannot be read ({str(error).splitlines()[0][:200]}); remove the folder "
            "and train again" + (version if written not in (None, keras.__version__) else "")
        ) from error


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Lists the settings that differ, with their values if they are short."""
    texts = []
    for name in [*wanted, *(name for name in found if name not in wanted)]:
        before, now = found.get(name), wanted.get(name)
        if before != now:
            text = f"{name} {before}, now {now}"
            texts.append(text if len(text) <= 80 else f"another {name}")
    return "; ".join(texts)
