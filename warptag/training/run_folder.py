"""The folder of a run: its settings, its model, and what happens to an earlier run in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypedDict, get_type_hints

import keras
import pandas as pd

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import read_json, remove_partial, write_json
from tfrecords_tools.typed_json import MISSING, Positive, WrongEntry, as_type, read_as
from warptag.csv_tables import read_numbers
from warptag.training.calibration import CALIBRATION
from warptag.training.checkpoint import HISTORY, TIMING, checkpoints
from warptag.training.settings import TrainingSettings

SETTINGS, MODEL, MEASURED, TEST_SCORES = (
    "settings.json",
    "model.keras",
    "run.json",
    "test_scores.npy",
)


class Measured(TypedDict):
    """The content of `run.json`."""

    seconds: float
    images_per_second: float
    device: str
    backend: str
    versions: dict[str, str]
    commit: str
    code: str


class ImageSettings(TypedDict):
    """How the photographs of the records were resized: `image` in `settings.json`."""

    size: Positive | None
    shorter_side: bool


#: The types of the settings that commands read back.
KINDS: dict[str, Any] = {
    **get_type_hints(TrainingSettings),
    "experiment": str,
    "tag_names": list[str],
    "patches": Literal["center", "five"],
    "crop_size": Positive,
    "selection_k": Positive,
    "network": dict[str, Any],
    "image": ImageSettings,
    "data": dict[str, Any],
    "data_checksum": str,
}

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
        readable = isinstance(found, dict)
        differences = _differences(found, wanted) if readable else "they cannot be read"
        raise OtherRun(f"{directory} contains a run with other settings ({differences})")
    # First, since without it the other files belong to no run.
    (directory / SETTINGS).unlink(missing_ok=True)
    for path in [*checkpoints(directory), *(directory / name for name in (MODEL, HISTORY, TIMING))]:
        path.unlink(missing_ok=True)
    shutil.rmtree(directory / "tensorboard", ignore_errors=True)
    remove_made_of_model(directory)
    write_json(directory / SETTINGS, wanted)


def is_finished(directory: Path, settings: dict[str, Any]) -> bool:
    """Whether the folder contains a finished run with these settings."""
    wanted = json.loads(json.dumps(settings))
    return (directory / MODEL).exists() and read_json(directory / SETTINGS) == wanted


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
    columns = ("epoch", "loss", "val_per_class_recall", "val_overall_recall")
    fix = "remove the folder and train again"
    return _load_model(directory), read_numbers(directory / HISTORY, columns, fix)


def load_measured(run: Path) -> dict[str, Any] | None:
    """What was measured when the run was trained: `run.json`; None if the run has none.

    Raises:
        InputError: the file is damaged.
    """
    path = run / MEASURED
    fix = "remove it and repeat the command that trained the network, which writes a new one"
    return read_as(path, Measured, fix) if path.exists() else None


def load_settings(run: Path, needs: Sequence[str] = ()) -> dict[str, Any]:
    """The settings of a run: `settings.json`.

    Args:
        run: the folder of the run.
        needs: the entries that must be there, besides `tag_names`.

    Raises:
        InputError: it is not the folder of a run, or an entry is missing or of the wrong type.
    """
    path = run / SETTINGS
    fix = "train the run again"
    if not path.is_file():
        raise InputError(
            f"{run} is not the folder of a trained run; expected one with {SETTINGS} and {MODEL}, "
            "such as results/scenes/models/warp"
        )
    settings = read_as(path, dict[str, Any], fix)
    try:
        for name in ("tag_names", *needs):
            if name not in settings:
                raise WrongEntry(name, "there", MISSING)
        for name in settings.keys() & KINDS.keys():
            as_type(settings[name], KINDS[name], name)
        # A text that cannot be written, such as half of a surrogate pair.
        json.dumps(settings, ensure_ascii=False).encode()
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}); {fix}") from error
    return settings


def load_run(run: Path, needs: Sequence[str] = ()) -> tuple[keras.Model, dict[str, Any]]:
    """Loads the model of a finished run, and the settings it was trained with.

    Args:
        run: the folder of the run.
        needs: the settings that must be there, besides `tag_names`.

    Raises:
        InputError: it is not the folder of a run, a setting is missing or of the wrong type, the
            run is not finished, or the model cannot be read.

    Example:
        >>> model, settings = load_run(Path("results/scenes/models/warp"))  # doctest: +SKIP
    """
    settings = load_settings(run, needs)
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
        written = _keras_version(run)
        version = f"; it was written by Keras {written}, but {keras.__version__} is installed"
        raise InputError(
            f"{run / MODEL} cannot be read ({str(error).splitlines()[0][:200]}); remove the folder "
            "and train again" + (version if written not in (None, keras.__version__) else "")
        ) from error


def _keras_version(run: Path) -> str | None:
    """The version of Keras that trained a run, if its folder says so."""
    with suppress(InputError):
        return (load_measured(run) or {"versions": {}})["versions"].get("keras")
    return None


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Lists the settings that differ, with their values if they are short."""
    texts = []
    for name in [*wanted, *(name for name in found if name not in wanted)]:
        before, now = found.get(name), wanted.get(name)
        if before != now:
            text = f"{name} {before}, now {now}"
            texts.append(text if len(text) <= 80 else f"another {name}")
    return "; ".join(texts)
