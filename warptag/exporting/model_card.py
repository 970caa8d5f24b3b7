"""MODEL_CARD.md: a description of an exported model, from the files of its run."""

from __future__ import annotations

from numbers import Real
from pathlib import Path
from typing import Any

import jinja2
import keras

import warptag
from warptag.csv_tables import read_numbers
from warptag.exporting.formats import FORMATS, TAGS
from warptag.provenance import versions
from warptag.training.checkpoint import HISTORY
from warptag.training.run_folder import load_measured
from warptag.training.train import MONITOR

MODEL_CARD = "MODEL_CARD.md"
#: The settings that describe the data; `tag_names` are in tags.txt, the others are of training.
DATA = ("experiment", "data", "data_checksum")
NOT_OF_TRAINING = (*DATA, "tag_names", "image")


def model_card(
    run: Path, model: keras.Model, settings: dict[str, Any], differences: dict[str, float]
) -> str:
    """The text of the card, in Markdown.

    Args:
        run: folder of the run.
        model: the exported model, as returned by `photograph_model`.
        settings: the settings of the run.
        differences: format -> largest difference of its outputs from those of Keras.

    Raises:
        InputError: the history or the measurements of the run cannot be read.
    """
    formats = [FORMATS[name] for name in differences]
    measured = load_measured(run) or {}
    trained_with = measured.pop("versions", {})
    packages = [package for form in formats for package in form.distributions]
    exported_with = versions("tensorflow", "keras", "numpy", *packages)
    exported_with["warptag"] = warptag.__version__
    network = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    epoch, metrics = _validation_metrics(run, settings)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("warptag.exporting"),
        undefined=jinja2.ChainableUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = _plain
    return environment.get_template(MODEL_CARD).render(
        title=", ".join(settings[name] for name in ("experiment", "loss") if name in settings),
        num_tags=len(settings["tag_names"]),
        network=network,
        crop_size=network.input_shape[1],
        has_probabilities="probabilities" in model.output,
        tags_file=TAGS,
        settings=settings,
        image=settings["image"],
        data=_flat({name: settings[name] for name in DATA if name in settings}),
        training=_flat({k: v for k, v in settings.items() if k not in NOT_OF_TRAINING}),
        measured=_flat(measured),
        epoch=epoch,
        metrics=metrics,
        formats=formats,
        differences=[(FORMATS[name].file, f"{d:.1e}") for name, d in differences.items()],
        versions=[
            (name, trained_with.get(name, ""), exported_with.get(name, ""))
            for name in trained_with | exported_with
        ],
    )


def _validation_metrics(run: Path, settings: dict[str, Any]) -> tuple[int, list[tuple[str, str]]]:
    """The epoch whose weights were kept, and its metrics."""
    best = settings.get("keep") == "best"
    columns = ("epoch", MONITOR) if best else ("epoch",)
    history = read_numbers(run / HISTORY, columns, "train the run again")
    row = history.iloc[history[MONITOR].argmax() if best else -1]
    return int(row["epoch"]), [
        (name.removeprefix("val_").replace("_", " "), f"{value:.4f}")
        for name, value in row.dropna().items()
        if str(name).startswith("val_") and isinstance(value, Real)
    ]


def _flat(content: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """The rows of nested dictionaries, with names such as "data.images.train"."""
    rows: list[tuple[str, Any]] = []
    for name, value in content.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", value))
    return rows


def _plain(value: Any) -> str:
    """Text that Markdown shows unchanged, on one line."""
    text = " ".join(str(value).split())
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
