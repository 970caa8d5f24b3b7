"""The folder of one run: whose it is, and whether it may be used for these settings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import keras
import pandas as pd

from tfrecords_tools.errors import InputError
from warptag.files import read_json, write_json
from warptag.training.checkpoints import load_checkpoint, remove_checkpoints

SETTINGS, MODEL, HISTORY, TIMING = "settings.json", "model.keras", "history.csv", "timing.csv"
BEST = "best.npz"
#: What is made of a finished model afterwards.
MADE_OF_MODEL = ("calibration.json", "run.json", "test_scores.npy")

BeginAnew = Literal["never", "changed", "always"]


def claim(directory: Path, settings: dict[str, Any], begin_anew: BeginAnew) -> None:
    """Make the folder that of a run of these settings, and remove what belongs to another.

    Args:
        directory: made if it is not there.
        settings: everything that decides the run, as JSON values.
        begin_anew: when an earlier run in the folder is removed: "never" (it is an error if its
            settings are others), when they "changed", or "always".

    Raises:
        InputError: the folder holds a run of other settings.
    """
    directory.mkdir(parents=True, exist_ok=True)
    wanted = json.loads(json.dumps(settings))
    for left_over in directory.glob(".partial-*"):
        # Of a killed process.
        left_over.unlink(missing_ok=True)
    found = read_json(directory / SETTINGS)
    if found == wanted and begin_anew != "always":
        return
    holds_something = (directory / MODEL).exists() or load_checkpoint(directory) is not None
    if begin_anew == "never" and found is not None and holds_something:
        raise InputError(
            f"{directory} holds a run of other settings ({_differences(found, wanted)}); choose "
            "another --output, or begin anew with --restart"
        )
    # First: without it the rest is nobody's.
    (directory / SETTINGS).unlink(missing_ok=True)
    remove_checkpoints(directory)
    for name in (MODEL, HISTORY, TIMING, BEST, *MADE_OF_MODEL):
        (directory / name).unlink(missing_ok=True)
    for name in ("tensorboard", "export"):
        shutil.rmtree(directory / name, ignore_errors=True)
    write_json(directory / SETTINGS, wanted)


def load_finished(directory: Path) -> tuple[keras.Model, pd.DataFrame]:
    """The model and the history of a finished run.

    Raises:
        InputError: they cannot be read.
    """
    try:
        model = keras.saving.load_model(directory / MODEL, compile=False)
        return model, pd.read_csv(directory / HISTORY)
    # Keras raises all kinds for a damaged file.
    except Exception as error:
        raise InputError(
            f"{directory}: {MODEL} or {HISTORY} of the finished run cannot be read "
            f"({str(error).splitlines()[0][:200]}); begin anew with --restart, or remove the folder"
        ) from error


def load_run(run: Path) -> tuple[keras.Model, dict[str, Any]]:
    """The model of a run's folder, and the settings it was trained with.

    Raises:
        InputError: it is no such folder, the run is not finished, or the model cannot be read.
    """
    settings = read_json(run / SETTINGS)
    if not isinstance(settings, dict) or not isinstance(settings.get("tag_names"), list):
        raise InputError(
            f"{run} is not the folder of a trained run; expected one with {SETTINGS} and {MODEL}, "
            "such as results/scenes/models/warp"
        )
    if not (run / MODEL).exists():
        raise InputError(
            f"{run}: the run is not finished, {MODEL} is missing; make it again with the same "
            "command, it goes on where it stopped"
        )
    try:
        return keras.saving.load_model(run / MODEL, compile=False), settings
    # Keras raises all kinds for a damaged file.
    except Exception as error:
        written = settings.get("versions", {}).get("keras")
        version = f"; it was written by Keras {written}, and this is {keras.__version__}"
        raise InputError(
            f"{run / MODEL} cannot be read ({str(error).splitlines()[0][:200]})"
            + (version if written != keras.__version__ else "")
        ) from error


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    """The settings that differ, with their values where these are short."""
    texts = []
    for name in [*wanted, *(name for name in found if name not in wanted)]:
        before, now = found.get(name), wanted.get(name)
        if before != now:
            text = f"{name} {before}, now {now}"
            texts.append(text if len(text) <= 80 else f"another {name}")
    return "; ".join(texts)
