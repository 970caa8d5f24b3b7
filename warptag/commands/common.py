"""Helpers that the commands share."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from pathlib import Path

from tfrecords_tools.errors import InputError
from tfrecords_tools.extras import requires

#: What to do if the weights of a pretrained network cannot be downloaded.
WEIGHTS_HINT = (
    "Remove an incomplete file; without a network connection, download the file on another "
    "computer and pass it with --weights FILE"
)


def make_writable(folder: Path) -> None:
    """Makes the folder if needed, and checks that files can be written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror}); choose another --output"
        ) from error


def show_progress() -> None:
    """Prints what the package logs, one line per message, to standard output."""
    logger = logging.getLogger("warptag")
    logger.setLevel(logging.INFO)
    logger.handlers = [_Progress(sys.stdout)]


class _Progress(logging.StreamHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        # Otherwise a traceback is printed for each message, as if the reader of the output, such
        # as `head`, has gone.
        raise


def import_tensorflow(extra: str = "tensorflow") -> None:
    """Imports TensorFlow, quietly, with what makes it fast on CPUs.

    Args:
        extra: the extra to name if TensorFlow is not installed.
    """
    from tfrecords_tools.quiet import import_tensorflow

    # Off by default on some processors, where convolutions are then two to three times slower.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with requires(extra):
        import_tensorflow()
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        # TensorFlow only reads the records, but would reserve the memory of the GPUs.
        tf.config.set_visible_devices([], "GPU")
