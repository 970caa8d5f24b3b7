"""Export of a trained run: written to a temporary folder, compared with Keras, then moved."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

from tfrecords_tools.errors import InputError
from tfrecords_tools.lock import exclusive
from warptag.exporting.formats import FORMATS, TAGS, tags_text
from warptag.exporting.model_card import MODEL_CARD, model_card
from warptag.exporting.photograph_model import photograph_model

#: Maximum difference between the outputs of an exported model and those of Keras, as a share of the
#: largest output if that is above 1: the precision of float32 is relative.
TOLERANCE = 1e-4
#: Heights and widths of the random images that the outputs are compared on.
CHECKED_SIZES = ((240, 320), (97, 61), (23, 40), (300, 199))


class FormatError(InputError):
    """A format cannot be written, or a model in it computes something else than Keras."""


class OutputError(InputError):
    """The output folder cannot be written or holds something else than an export."""


def export_run(run: Path, formats: Sequence[str], output: Path) -> dict[str, float]:
    """Writes the model of a run in several formats, with tags.txt and a model card.

    Args:
        run: folder of a finished run.
        formats: names in `FORMATS`.
        output: the folder to write; an earlier export in it is replaced as a whole.

    Returns:
        Format -> largest difference of its outputs from those of Keras, as a share of the largest
        output if that is above 1.

    Raises:
        FormatError: a format cannot be written, or computes something else than Keras.
        OutputError: `output` cannot be written, or holds something else than an export.
        InUse: another process writes to `output`.
        InputError: the run cannot be exported.

    Example:
        >>> run = Path("results/scenes/models/warp")
        >>> export_run(run, ["onnx", "litert"], run / "export")  # doctest: +SKIP
    """
    for name in formats:
        if not FORMATS[name].is_installed():
            raise FormatError(f"{name} needs packages: pip install 'warptag[export]'")
    _check_output(output)
    model, settings = photograph_model(run)
    expected = _outputs_on_random_images(lambda image: model(image, training=False))
    differences = {}
    # Beside the folder, which is replaced as a whole.
    lock_file = output.absolute().with_name(f".{output.absolute().name}.lock")
    with exclusive(output, lock_file), _folder_as_a_whole(output) as folder:
        (folder / TAGS).write_bytes(tags_text(settings["tag_names"]))
        for name in formats:
            path = folder / FORMATS[name].file
            differences[name] = _write_and_compare(name, model, path, settings, expected)
        card = model_card(run, model, settings, differences)
        (folder / MODEL_CARD).write_text(card, encoding="utf-8")
    return differences


@contextmanager
def _folder_as_a_whole(output: Path) -> Iterator[Path]:
    """A temporary folder that becomes `output` at the end, or is removed after an error."""
    output = Path(os.path.abspath(output))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        # Beside the output, so that it can be renamed.
        with (
            tempfile.TemporaryDirectory(prefix=".exporting-", dir=output.parent) as temporary,
            tempfile.TemporaryDirectory() as elsewhere,
        ):
            new, old = Path(temporary) / "new", Path(temporary) / "old"
            new.mkdir()
            # TensorFlow takes a path with brackets for a pattern, and takes no path that is not
            # UTF-8; so the formats are written through a link with a plain path.
            link = Path(elsewhere) / "export"
            link.symlink_to(new)
            yield link
            if output.exists():
                os.replace(output, old)
            os.replace(new, output)
    except OSError as error:
        raise OutputError(f"{output} cannot be written ({error.strerror or error})") from error


def _write_and_compare(
    name: str, model: keras.Model, path: Path, settings: dict, expected: list[dict]
) -> float:
    """The largest difference from Keras over images, outputs and tags; see `TOLERANCE`."""
    try:
        FORMATS[name].write(model, path, settings["tag_names"])
        found = _outputs_on_random_images(FORMATS[name].load(path))
    except OSError:
        raise
    # Each converter and runtime has its own exceptions.
    except Exception as error:
        # The end of TensorFlow's messages has the reason, such as a full disk.
        reason = " ".join(str(error).split())[-160:] or repr(error)
        raise FormatError(f"{name} cannot be made of this network (... {reason})") from error
    difference = max(
        float(np.abs(one[output] - other[output]).max() / max(1.0, np.abs(one[output]).max()))
        for one, other in zip(expected, found, strict=True)
        for output in one
    )
    # Not "greater", which is false for NaN.
    if not difference <= TOLERANCE:
        raise FormatError(
            f"{name}: the outputs differ from those of Keras by up to {difference:.1e} of the "
            f"largest, more than {TOLERANCE:.0e}; nothing was written"
        )
    return difference


def _outputs_on_random_images(run: Callable) -> list[dict[str, np.ndarray]]:
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (1, *size, 3), np.uint8) for size in CHECKED_SIZES]
    return [{name: np.asarray(value) for name, value in run(image).items()} for image in images]


def _check_output(output: Path) -> None:
    """Only an earlier export is replaced."""
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise OutputError(f"{output} is not a folder")
    known: set[str] = set()
    if (output / MODEL_CARD).exists():
        known = {TAGS, MODEL_CARD, *(form.file for form in FORMATS.values())}
    others = sorted(path.name for path in output.glob("*") if path.name not in known)
    if others:
        raise OutputError(f"{output} holds files that are not of an export, such as {others[0]}")
