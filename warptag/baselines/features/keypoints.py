"""Key points of local features: a dense grid and Harris corners, on several scales."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

#: Side of a patch in pixels, on every scale.
PATCH = 16
#: Side of the smallest image that is described, pixels.
MIN_SIDE = 32
_STEP = 8  # pixels between the patches of the grid, which overlap by half
_RELATIVE_THRESHOLD = 0.01  # relative to the image's strongest corner
_FLAT = 1e-10  # weaker corners (of pixels from 0 to 1) are rounding errors


def scale_sides(size: int) -> list[int]:
    """Sides of an image on the scales that are searched, a factor of sqrt(2) apart."""
    sides = [size]
    while (side := round(size / 2 ** (len(sides) / 2))) >= MIN_SIDE:
        sides.append(side)
    return sides


@lru_cache
def dense_points(side: int) -> np.ndarray:
    """Centres of overlapping patches that cover a square: float32 (num_points, 2), x and y."""
    # An even number of points per side, so that the four quarters have equally many.
    centres = np.linspace(PATCH / 2, side - PATCH / 2, side // _STEP // 2 * 2, dtype=np.float32)
    return np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)


def harris_points(greys: list[np.ndarray]) -> list[np.ndarray]:
    """Harris corners (Harris and Stephens, 1988), strongest first, on each scale of an image.

    These are local maxima of OpenCV's Harris response (blocks of 3 pixels, k = 0.04) of at least 1
    percent of the strongest on any scale; at most one per 16 x 16 pixels of a scale. `greys` are
    uint8 (side, side). Each scale gives float32 (num_points, 2), x and y in its own pixels.
    """
    responses = [cv2.cornerHarris(grey.astype(np.float32) / 255, 3, 3, 0.04) for grey in greys]
    strongest = max(response.max() for response in responses)
    found = []
    for response in responses:
        peaks = response == cv2.dilate(response, np.ones((3, 3)))
        peaks &= response > max(_RELATIVE_THRESHOLD * strongest, _FLAT)
        y, x = np.nonzero(peaks)
        order = np.argsort(-response[y, x], kind="stable")[: (len(response) // PATCH) ** 2]
        found.append(np.stack([x[order], y[order]], axis=1).astype(np.float32))
    return found
