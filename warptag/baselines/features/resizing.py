"""Resizing an image to a square."""

from __future__ import annotations

import cv2
import numpy as np


def to_square(image: np.ndarray, size: int) -> np.ndarray:
    """The image as uint8 (size, size, 3), averaged where it shrinks."""
    shrinks = min(image.shape[:2]) >= size
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=method)
