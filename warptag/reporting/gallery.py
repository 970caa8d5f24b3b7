"""gallery.json: test images with their true tags and the tags each method gives them."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tfrecords_tools.files import write_json
from warptag.metrics.counts import top_k_tags
from warptag.reporting.evaluation import Evaluation

#: Longest side in pixels, so that a few dozen images stay within a page of 3 MB.
MAX_SIDE = 192
JPEG_QUALITY = 80


def write_gallery(
    images: Mapping[int, np.ndarray], evaluation: Evaluation, path: str | os.PathLike
) -> Path:
    """Write the images, their true tags and each method's first k, scores of the first seed.

    Upper bounds and the most frequent tags, which do not look at the image, are left out where
    there is a method that does.

    Args:
        images: row of the evaluation -> uint8 array (height, width, 3).
        evaluation: the measured scores.
        path: where the JSON goes: `k`, and `images` with `row`, `jpeg` (base64), `true` and
            `given`: method -> pairs of a tag and whether it is right.

    Raises:
        ValueError: a row that the evaluation does not have, or an image of another shape or type.

    Example:
        >>> image = np.zeros((40, 60, 3), np.uint8)
        >>> write_gallery({0: image}, evaluation, "gallery.json")
        PosixPath('gallery.json')
    """
    k = evaluation.ks[0]
    methods = [
        method for method in evaluation.methods if method.startswith(("CNN", "Visual Feature"))
    ] or evaluation.methods
    entries = []
    for row, image in images.items():
        if not 0 <= row < len(evaluation.test_labels):
            raise ValueError(
                f"image {row} is not a row of the {len(evaluation.test_labels)} test images"
            )
        labels = np.asarray(evaluation.test_labels)[row : row + 1]
        entries.append(
            {
                "row": row,
                "jpeg": _jpeg(image),
                "true": [evaluation.tag_names[tag] for tag in np.flatnonzero(labels[0] == 1)],
                "given": {method: _given(evaluation, method, row, k, labels) for method in methods},
            }
        )
    return write_json(path, {"k": k, "images": entries})


def _given(
    evaluation: Evaluation, method: str, row: int, k: int, labels: np.ndarray
) -> list[tuple[Any, bool]]:
    scores = np.asarray(evaluation.scores[method][0])[row : row + 1]
    return [
        (evaluation.tag_names[tag], bool(labels[0, tag] == 1))
        for tag in top_k_tags(scores, k, labels)[0]
        if tag >= 0
    ]


def _jpeg(image: np.ndarray) -> str:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"an image must be uint8 (height, width, 3), got {image.dtype} {image.shape}"
        )
    picture = Image.fromarray(image)
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()
