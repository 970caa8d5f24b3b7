"""An image of any form as a square."""

from __future__ import annotations

import cv2
import numpy as np


def to_square(image: np.ndarray, size: int) -> np.ndarray:
    """Resize to size x size pixels, averaging where the image shrinks.

    Args:
        image: uint8 array (height, width, 3).
        size: side of the square, pixels.

    Returns:
        uint8 array (size, size, 3).
    """
    shrinks = min(image.shape[:2]) >= size
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=method)
