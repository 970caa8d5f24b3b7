"""Importing TensorFlow without its messages about the processor and missing GPU drivers."""

from __future__ import annotations

import os
import sys


def import_tensorflow() -> None:
    """Import TensorFlow with standard error closed to it.

    The messages are written before TensorFlow heeds its log level, straight to the descriptor.
    """
    # A parent process that imported TensorFlow has set it to 1 for us, not the user.
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL", "1") == "1":
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.stderr.flush()
    standard_error = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        import tensorflow  # noqa: F401
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
