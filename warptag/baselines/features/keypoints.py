"""Where local features are taken: a dense grid and Harris corners, on several scales."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

#: Side of a patch in pixels, on whatever scale it is taken.
PATCH = 16
#: Side of the smallest image that is described, pixels.
SMALLEST_SIDE = 32
_STEP = 8  # pixels between the grid's patches: they overlap by half
_RELATIVE_THRESHOLD = 0.01  # of the image's strongest corner
_FLAT = 1e-10  # corners of images of 0 to 1 below it are rounding


def scale_sides(size: int) -> list[int]:
    """Sides of an image on the scales that are searched, each smaller by the square root of 2."""
    sides = [size]
    while (side := round(size / 2 ** (len(sides) / 2))) >= SMALLEST_SIDE:
        sides.append(side)
    return sides


@lru_cache
def dense_points(side: int) -> np.ndarray:
    """Centres of overlapping patches that cover a square: float32 (num_points, 2), x and y."""
    # An even number of points a side, so that the four quarters hold equally many.
    centres = np.linspace(PATCH / 2, side - PATCH / 2, side // _STEP // 2 * 2, dtype=np.float32)
    return np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)


def harris_points(greys: list[np.ndarray]) -> list[np.ndarray]:
    """Corners (Harris and Stephens, 1988), strongest first, on each scale of an image.

    Local maxima of OpenCV's Harris response (blocks of 3 pixels, k = 0.04) that reach 1 percent of
    the strongest on any scale; at most one for each 16 x 16 pixels of a scale.

    Args:
        greys: the image's scales, uint8 arrays (side, side).

    Returns:
        A float32 array (num_points, 2) of x and y a scale, in that scale's pixels; empty for an
        image of one colour.
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
