"""MODEL_CARD.md: what an exported model is, from the files of its run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import pandas as pd

import warptag
from tfrecords_tools.errors import InputError
from tfrecords_tools.files import read_json
from warptag.exporting.formats import FORMATS, TAGS
from warptag.provenance import versions
from warptag.training.checkpoint import HISTORY
from warptag.training.run_folder import MEASURED
from warptag.training.train import MONITOR

MODEL_CARD = "MODEL_CARD.md"
#: Settings that say what was learned from; `tag_names` are in tags.txt, all others are of training.
DATA = ("experiment", "data", "data_checksum")
APART = ("tag_names", "image")
SYNTHETIC = (
    "**Trained on synthetic data**: the images were rendered. No figure here says anything of "
    "photographs."
)

LOADING = """
import numpy as np
from PIL import Image, ImageOps

with Image.open("photo.jpg") as file:
    image = np.asarray(ImageOps.exif_transpose(file).convert("RGB"))[None]
"""
BEST_TAGS = """
with open("tags.txt", encoding="utf-8") as file:
    tags = file.read().split("\\n")
scores = np.asarray(outputs["scores"])[0]
print([tags[i] for i in np.argsort(-scores)[:5]])
"""


def model_card(
    run: Path, model: keras.Model, settings: dict[str, Any], differences: dict[str, float]
) -> str:
    """The text of the card, in Markdown.

    Args:
        run: folder of the run.
        model: the exported model, as of `photograph_model`.
        settings: of the run.
        differences: format -> largest difference of its outputs from those of Keras.

    Raises:
        InputError: the run's history cannot be read.
    """
    blocks = [
        *_introduction(model, settings),
        "## Input and output",
        _bullets(_interface(model)),
        "## Preprocessing, inside the model",
        _bullets(_preprocessing(settings["image"], _network(model).input_shape[1])),
        "## Data",
        _table(("", ""), _flat({name: settings[name] for name in DATA if name in settings})),
        "## Figures on the validation images",
        *_figures(run, settings),
        "## Training",
        _table(("", ""), _flat({k: v for k, v in settings.items() if k not in (*DATA, *APART)})),
        *_measured(run),
        "## Exported files",
        "Compared with Keras on made-up images of several sizes.",
        _table(
            ("file", "largest difference"),
            ((FORMATS[name].file, f"{value:.1e}") for name, value in differences.items()),
        ),
        "## How to load it",
        "In the folder of this card. `photo.jpg` is any photograph:",
        _code(LOADING),
        *(f"`{FORMATS[name].file}`:\n\n{_code(FORMATS[name].usage)}" for name in differences),
        "The best five tags:",
        _code(BEST_TAGS),
        "## Limits",
        _bullets(_limits(model, settings)),
        "## Versions",
        _versions((read_json(run / MEASURED) or {}).get("versions", {}), differences),
    ]
    return "\n\n".join(blocks) + "\n"


def _network(model: keras.Model) -> keras.Model:
    return next(layer for layer in model.layers if isinstance(layer, keras.Model))


def _introduction(model: keras.Model, settings: dict[str, Any]) -> list[str]:
    network = _network(model)
    run = ", ".join(_plain(settings[name]) for name in ("experiment", "loss") if name in settings)
    blocks = [
        f"# Tags for photographs: {run}",
        f"Gives {len(settings['tag_names'])} tags to a photograph, by the network `{network.name}` "
        f"of {network.count_params():,} weights. Trained by warptag, after Gong et al., Deep "
        "Convolutional Ranking for Multilabel Image Annotation, arXiv 1312.4894.",
    ]
    return [*blocks, SYNTHETIC] if settings.get("data", {}).get("synthetic") else blocks


def _interface(model: keras.Model) -> list[str]:
    num_tags = _network(model).output_shape[1]
    lines = [
        "`image`: uint8 (batch, height, width, 3), RGB, upright, of any height and width.",
        f"`scores`: float32 (batch, {num_tags}); they rank an image's tags, higher is better.",
    ]
    if "probabilities" in model.output:
        lines.append(
            f"`probabilities`: float32 (batch, {num_tags}), from 0 to 1; fitted to the scores of "
            "the validation images."
        )
    return [*lines, f"`{TAGS}` names the {num_tags} tags in this order; it is in each file, too."]


def _preprocessing(image: dict[str, Any], crop_size: int) -> list[str]:
    size = image["size"]
    if size is None:
        resized = "The photograph keeps its size."
    elif image["shorter_side"]:
        resized = f"Resized to a shorter side of {size} pixels; the aspect ratio is kept."
    else:
        resized = f"Resized to {size} x {size} pixels; the aspect ratio is not kept."
    return [
        resized if size is None else f"{resized} Antialiased bicubic.",
        f"The centre crop of {crop_size} x {crop_size} pixels; of less than that, the largest "
        "square, enlarged.",
        "Pixels are not rounded to whole grey levels in between, and not stored as JPEG, as those "
        "of training were: scores differ a little from those of `warptag annotate`.",
    ]


def _figures(run: Path, settings: dict[str, Any]) -> list[str]:
    """Of the epoch whose weights were kept."""
    try:
        history = pd.read_csv(run / HISTORY)
        row = history.iloc[-1]
        if settings.get("keep") == "best":
            row = history.iloc[history[MONITOR].argmax()]
        epoch = int(row["epoch"])
    # pandas and the look-ups raise different ones for a damaged file.
    except (OSError, ValueError, LookupError) as error:
        raise InputError(
            f"{run / HISTORY} cannot be read ({error}); give the command that trained the run again"
        ) from error
    figures = {
        name.removeprefix("val_").replace("_", " "): f"{value:.4f}"
        for name, value in row.dropna().items()
        if str(name).startswith("val_")
    }
    if not figures:
        return ["None: the history holds none."]
    return [
        _table(("", ""), figures.items()),
        f"After epoch {epoch}, for the best {settings.get('selection_k')} tags of an image, as "
        "fractions of 1. The run's settings may have been chosen on these images.",
    ]


def _measured(run: Path) -> list[str]:
    measured = read_json(run / MEASURED) or {}
    rows = _flat({name: value for name, value in measured.items() if name != "versions"})
    return [_table(("", ""), rows)] if rows else []


def _limits(model: keras.Model, settings: dict[str, Any]) -> list[str]:
    lines = [
        "It knows only the tags of its data, and was measured only on images like them.",
        "What lies outside the centre crop is not seen.",
        "A photograph that is not upright must be turned first; the EXIF orientation is not read.",
    ]
    if settings.get("patches", "center") != "center":
        patches = _plain(settings["patches"])
        lines.append(f"One crop, the centre; the run's own figures are of patches `{patches}`.")
    if "probabilities" in model.output:
        return [*lines, "Probabilities hold for images drawn as the validation images were."]
    return [*lines, "No probabilities: they could not be fitted to the run's validation images."]


def _versions(trained: dict[str, str], formats: Iterable[str]) -> str:
    distributions = [name for form in formats for name in FORMATS[form].distributions]
    exported = {
        **versions("tensorflow", "keras", "numpy", *distributions),
        "warptag": warptag.__version__,
    }
    rows = ((name, trained.get(name, ""), exported.get(name, "")) for name in trained | exported)
    return _table(("", "trained with", "exported with"), rows)


def _code(lines: str) -> str:
    return f"```python\n{lines.strip()}\n```"


def _flat(content: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested dictionaries as names with dots."""
    rows: list[tuple[str, Any]] = []
    for name, value in content.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", value))
    return rows


def _table(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(_plain(cell) for cell in line)} |" for line in lines)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _plain(value: Any) -> str:
    """Text that Markdown shows as it is, on one line."""
    text = " ".join(str(value).split())
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
