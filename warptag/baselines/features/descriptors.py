"""Descriptors of an image's patches: SIFT, CSIFT, RGBSIFT and blocks of 2 x 2 HOG cells."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from skimage.feature import hog

from warptag.baselines.features.keypoints import PATCH, dense_points, harris_points, scale_sides

#: Name of each bag of words -> length of its descriptors.
BAGS = {
    "dense SIFT": 128,
    "dense CSIFT": 384,
    "dense RGBSIFT": 384,
    "Harris SIFT": 128,
    "Harris CSIFT": 384,
    "Harris RGBSIFT": 384,
    "HOG 2x2": 36,
}
# OpenCV's SIFT spans 6 times the size of a keypoint: 4 cells of 1.5 times its size.
_KEYPOINT_SIZE = PATCH / 6
# Added to the intensity (0 to 255) that colours are divided by: dark pixels have noisy colours.
_DARK = 8.0
_CELL = 8  # pixels


class Patches(NamedTuple):
    """Descriptors float32 (num_patches, length), and x and y (num_patches, 2) in [0, 1)."""

    descriptors: np.ndarray
    positions: np.ndarray


def describe_patches(image: np.ndarray) -> dict[str, Patches]:
    """Local descriptors of an image, for each of the names in `BAGS`.

    - SIFT (Lowe, 2004), upright, of the grey image, in 16-pixel patches: dense ones every 8 pixels
      on scales an octave apart, and Harris corners on scales half an octave apart.
    - RGBSIFT (van de Sande et al., 2010): SIFT of the red, the green and the blue plane.
    - CSIFT (the same source): SIFT of the two planes of `colour_invariants` and of the grey image.
    - HOG 2x2 (Xiao et al., 2010): scikit-image's histograms of oriented gradients in cells of
      8 pixels, where a block is 2 x 2 cells.

    The image is uint8 (size, size, 3), RGB, of size at least 32.
    """
    size = image.shape[0]
    scales = [
        cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for side in scale_sides(size)
    ]
    greys = [cv2.cvtColor(scale, cv2.COLOR_RGB2GRAY) for scale in scales]
    sift = cv2.SIFT.create()
    dense, harris = [], []
    for number, (scale, grey, corners) in enumerate(
        zip(scales, greys, harris_points(greys), strict=True)
    ):
        grid = dense_points(len(grey)) if number % 2 == 0 else np.zeros((0, 2), np.float32)
        points = np.concatenate([grid, corners])
        if len(points) == 0:
            continue
        keypoints = [cv2.KeyPoint(x, y, _KEYPOINT_SIZE, 0.0) for x, y in points.tolist()]
        planes = (grey, *colour_invariants(scale), *np.moveaxis(scale, 2, 0))
        of_grey, of_c1, of_c2, *of_rgb = (
            sift.compute(np.ascontiguousarray(plane), keypoints)[1] for plane in planes
        )
        described = (
            of_grey,
            np.concatenate([of_c1, of_c2, of_grey], axis=1),
            np.concatenate(of_rgb, axis=1),
        )
        positions = points / len(grey)
        dense.append([Patches(d[: len(grid)], positions[: len(grid)]) for d in described])
        harris.append([Patches(d[len(grid) :], positions[len(grid) :]) for d in described])
    bags = [_joined(parts) for parts in (*zip(*dense, strict=True), *zip(*harris, strict=True))]
    return dict(zip(BAGS, [*bags, hog_2x2(greys[0])], strict=True))


def colour_invariants(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The planes O1/O3 and O2/O3, uint8, of the opponent colours, which ignore shading.

    O1 = (R - G) / sqrt(2), O2 = (R + G - 2 B) / sqrt(6), O3 = (R + G + B) / sqrt(3), as in van de
    Sande, Gevers and Snoek (2010), section 3. Each plane is scaled from its full range to 0 to
    255, since OpenCV's SIFT takes 8 bits. The intensity is raised by 8 before the division, since
    dark pixels have noisy colours.
    """
    red, green, blue = np.moveaxis(image.astype(np.float32), 2, 0)
    intensity = (red + green + blue) / 3 + _DARK
    first = (red - green) / intensity  # sqrt(2) / sqrt(3) * 3 times O1/O3: -3 to 3
    second = (red + green - 2 * blue) / intensity  # -6 to 3
    return (
        np.rint((first + 3) * (255 / 6)).astype(np.uint8),
        np.rint((second + 6) * (255 / 9)).astype(np.uint8),
    )


def hog_2x2(grey: np.ndarray) -> Patches:
    """Blocks of 2 x 2 HOG cells of 8 pixels and 9 orientations, 8 pixels apart."""
    cell = (_CELL, _CELL)
    blocks = hog(grey, pixels_per_cell=cell, cells_per_block=(2, 2), feature_vector=False)
    rows, columns = blocks.shape[:2]
    y, x = np.mgrid[:rows, :columns].reshape(2, -1) + 0.5
    positions = np.stack([x / columns, y / rows], axis=1)
    return Patches(blocks.reshape(rows * columns, -1).astype(np.float32), positions)


def _joined(parts: tuple[Patches, ...]) -> Patches:
    return Patches(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
