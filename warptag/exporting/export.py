"""A trained run in other formats: written aside, run again, and put in place as a whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

from tfrecords_tools.errors import InputError
from warptag.exporting.formats import FORMATS, TAGS, tags_text
from warptag.exporting.model_card import MODEL_CARD, model_card
from warptag.exporting.photograph_model import photograph_model

#: How far the outputs of an exported model may be from those of Keras.
TOLERANCE = 1e-4
#: Heights and widths of the made-up images it is compared on.
CHECKED_SIZES = ((240, 320), (97, 61), (23, 40), (300, 199))


def export_run(
    run: Path, formats: Sequence[str], output: Path, say: Callable[[str], None] = print
) -> Path:
    """Writes a run's model in several formats, with tags.txt and a model card.

    Args:
        run: folder of a finished run.
        formats: names in `FORMATS`.
        output: the folder to write; an earlier export in it is replaced as a whole.
        say: called with a line at a time.

    Returns:
        `output`.

    Raises:
        InputError: the run cannot be exported, packages are missing, `output` holds something
            else, or an exported model computes something else than Keras does.

    Example:
        >>> run = Path("results/scenes/models/warp")
        >>> export_run(run, ["onnx", "litert"], run / "export")  # doctest: +SKIP
    """
    _check_installed(formats)
    _check_output(output)
    model, settings = photograph_model(run)
    expected = _outputs_on_made_up_images(lambda image: model(image, training=False))
    differences = {}
    with _folder_as_a_whole(output) as folder:
        (folder / TAGS).write_bytes(tags_text(settings["tag_names"]))
        for name in formats:
            path = folder / FORMATS[name].file
            differences[name] = _write_and_compare(name, model, path, settings, expected)
            say(
                f"{output / path.name}: {_megabytes(path):.1f} MB, differs from Keras by at most "
                f"{differences[name]:.1e}"
            )
        card = model_card(run, model, settings, differences)
        (folder / MODEL_CARD).write_text(card, encoding="utf-8")
    say(f"{output / MODEL_CARD}: what the model is, and how to load it")
    return output


@contextmanager
def _folder_as_a_whole(output: Path) -> Iterator[Path]:
    """A folder to write into; it becomes `output` at the end, or nothing is left of it."""
    output = Path(os.path.abspath(output))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        # Beside the output, so that it can be renamed.
        with tempfile.TemporaryDirectory(prefix=".exporting-", dir=output.parent) as aside:
            made, before = Path(aside) / "made", Path(aside) / "before"
            made.mkdir()
            yield made
            if output.exists():
                os.replace(output, before)
            os.replace(made, output)
    except OSError as error:
        raise InputError(
            f"{output} cannot be written ({error.strerror or error}); make room, or choose another "
            "--output"
        ) from error


def _write_and_compare(
    name: str, model: keras.Model, path: Path, settings: dict, expected
) -> float:
    """The largest difference from Keras over images, outputs and tags."""
    form = FORMATS[name]
    try:
        form.write(model, path, settings["tag_names"])
        found = _outputs_on_made_up_images(form.load(path))
    except OSError:
        raise
    # Each converter and runtime has its own.
    except Exception as error:
        # The reason comes last in TensorFlow's, a full disk among them.
        reason = " ".join(str(error).split())[-160:] or repr(error)
        raise InputError(
            f"{name} cannot be made of this network (... {reason}); choose another --format, or "
            "make room if the disk is full"
        ) from error
    difference = max(
        float(np.abs(one[output] - other[output]).max())
        for one, other in zip(expected, found, strict=True)
        for output in one
    )
    # Not "greater": a NaN is neither.
    if not difference <= TOLERANCE:
        raise InputError(
            f"{name}: outputs differ from those of Keras by up to {difference:.1e}, more than "
            f"{TOLERANCE:.0e}; nothing was written; choose another --format"
        )
    return difference


def _outputs_on_made_up_images(run) -> list[dict[str, np.ndarray]]:
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (1, *size, 3), np.uint8) for size in CHECKED_SIZES]
    return [{name: np.asarray(value) for name, value in run(image).items()} for image in images]


def _check_installed(formats: Sequence[str]) -> None:
    missing = [name for name in formats if not FORMATS[name].is_installed()]
    if missing:
        raise InputError(
            f"{', '.join(missing)}: packages are missing; pip install 'warptag[export]'"
        )


def _check_output(output: Path) -> None:
    """Only an earlier export is replaced."""
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise InputError(f"{output} is not a folder; choose another --output")
    known: set[str] = set()
    if (output / MODEL_CARD).exists():
        known = {TAGS, MODEL_CARD, *(form.file for form in FORMATS.values())}
    others = sorted(path.name for path in output.glob("*") if path.name not in known)
    if others:
        raise InputError(
            f"{output} holds something else than an export ({others[0]}); choose another --output"
        )


def _megabytes(path: Path) -> float:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files) / 1e6
