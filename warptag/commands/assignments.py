"""`--set KEY=VALUE`: changes a setting of an experiment, checked by name and type."""

from __future__ import annotations

import difflib
import types
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tfrecords_tools.errors import InputError
from warptag.experiments import Networks
from warptag.training import TrainingSettings
from warptag.training.ranges import Range

#: The keys of the network, and their valid values.
NETWORK = {
    "crop_size": Range(1, 2048, whole=True),
    "selection_k": Range(1, 1_000_000, whole=True),
    "network.width": Range(0, 10, low_open=True),
    "network.dense_units": Range(1, 16_384, whole=True),
    "network.first_stride": Range(1, 256, whole=True),
    "network.dropout": Range(0, 1, high_open=True),
    "network.hidden_units": Range(0, 16_384, whole=True),
    "network.input_dropout": Range(0, 1, high_open=True),
}
#: Every key that can be set, and its type.
KINDS: dict[str, Any] = {
    **{name: kind for name, kind in get_type_hints(TrainingSettings).items() if name != "loss"},
    **{name: int if valid.whole else float for name, valid in NETWORK.items()},
}

#: The arguments of `AlexNet`, of `Backbone`, and of `Head` for a pretrained network.
ALEXNET = {f"network.{name}" for name in ("width", "dense_units", "first_stride", "dropout")}
BACKBONE = {"network.dropout"}
HEAD = {f"network.{name}" for name in ("hidden_units", "input_dropout", "dropout")}


def assign(
    choices: Networks,
    settings: TrainingSettings,
    assignments: Sequence[str],
    fine_tuning: bool = False,
) -> tuple[Networks, TrainingSettings]:
    """Changes some of the settings of a run.

    Args:
        choices: the network of the experiment.
        settings: the settings of the training.
        assignments: strings such as "epochs=3", "decay_at=0.5,0.8", "clip_norm=none" or
            "network.width=0.25". The items of a tuple are separated by commas.
        fine_tuning: whether all weights of a pretrained network are trained, whose head exists.

    Returns:
        The changed network and settings.

    Raises:
        InputError: a key is unknown, or a value has the wrong type or is out of range.
    """
    changed: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        key = key.strip()
        if not equals:
            raise InputError(f"--set {assignment}: expected key=value, such as epochs=3")
        if key not in KINDS:
            close = difflib.get_close_matches(key, KINDS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"the keys are {', '.join(KINDS)}"
            raise InputError(f"--set {assignment}: unknown key {key!r}; {hint}")
        if fine_tuning and (key.startswith("network.") or key == "precision"):
            raise InputError(
                f"--set {assignment}: with --finetune the network is that of the run, in float32; "
                "train the run with other settings first, without --finetune"
            )
        if key.startswith("network.") and key not in (valid := _network_keys(choices)):
            expected = ", ".join(sorted(valid))
            raise InputError(f"--set {assignment}: this network has no {key}; expected {expected}")
        if key == "window_area" and choices.pretrained and not fine_tuning:
            raise InputError(
                f"--set {assignment}: the features of a pretrained network are computed once, of "
                "whole photographs; use --finetune or --from-scratch with it"
            )
        try:
            value = _read(text.strip(), KINDS[key])
        except ValueError:
            raise InputError(
                f"--set {assignment}: {key} takes {_describe(KINDS[key])}, got {text!r}"
            ) from None
        if key in NETWORK and value not in NETWORK[key]:
            raise InputError(f"--set {assignment}: {key} must be {NETWORK[key]}, got {value}")
        if key.startswith("network."):
            architecture = {**choices.architecture, key.removeprefix("network."): value}
            choices = replace(choices, architecture=architecture)
        elif hasattr(settings, key):
            changed[key] = value
        else:
            choices = replace(choices, **{key: value})
    try:
        # All at once, since some values are only valid together.
        return choices, replace(settings, **changed)
    except ValueError as error:
        raise InputError(f"--set: {error}") from None


def _network_keys(choices: Networks) -> set[str]:
    if choices.backbone is None:
        return ALEXNET
    return HEAD if choices.pretrained else BACKBONE


def _read(text: str, kind: Any) -> Any:
    """Parses a text as a value of a type; raises ValueError if that fails."""
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise ValueError(text)
        return text
    if get_origin(kind) in (Union, types.UnionType):
        if text.lower() == "none":
            return None
        return _read(text, get_args(kind)[0])
    if get_origin(kind) is tuple:
        return tuple(_read(part, get_args(kind)[0]) for part in text.split(",") if part)
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    return kind(text)


def _describe(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    if get_origin(kind) in (Union, types.UnionType):
        return f"{_describe(get_args(kind)[0])} or none"
    if get_origin(kind) is tuple:
        return "numbers separated by commas"
    return {bool: "true or false", int: "a whole number", float: "a number"}[kind]
