"""gallery.json: test images with their true tags and the tags each method gives them."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from warptag.metrics.counts import top_k_tags
from warptag.reporting.evaluation import Evaluation

#: The longest side in pixels, so that a few dozen images fit in a page of 3 MB.
MAX_SIDE = 192
JPEG_QUALITY = 80


def gallery(images: Mapping[int, np.ndarray], evaluation: Evaluation) -> dict[str, Any]:
    """The images, their true tags and each method's first k, scores of the first seed.

    Bounds and the most frequent tags, which do not look at the image, are left out if there is a
    method that does.

    Args:
        images: row of the evaluation -> uint8 array (height, width, 3).
        evaluation: the measured scores.

    Returns:
        `k`, and `images` with `row`, `jpeg` (base64), `true` and `given`: label of a method ->
        pairs of a tag and whether it is true.

    Raises:
        ValueError: a row that the evaluation does not have, or an image of another shape or type.

    Example:
        >>> content = gallery({0: np.zeros((40, 60, 3), np.uint8)}, evaluation)
        >>> content["k"], list(content["images"][0]["given"])
        (3, ['CNN + Softmax', 'CNN + Ranking', 'CNN + WARP'])
    """
    methods = [method for method in evaluation.methods if method.kind != "bound"]
    num_images = len(evaluation.test_labels)
    entries = []
    for row, image in images.items():
        if not 0 <= row < num_images:
            raise ValueError(f"image {row} is not a row of the {num_images} test images")
        given = {
            method.label: given_tags(evaluation, method.id, row)
            for method in methods or evaluation.methods
        }
        entries.append(
            {"row": row, "jpeg": jpeg(image), "true": true_tags(evaluation, row), "given": given}
        )
    return {"k": evaluation.ks[0], "images": entries}


def true_tags(evaluation: Evaluation, row: int) -> list[str]:
    """The names of the true tags of an image."""
    labels = np.asarray(evaluation.test_labels)[row]
    return [evaluation.tag_names[tag] for tag in np.flatnonzero(labels == 1)]


def given_tags(evaluation: Evaluation, method: str, row: int) -> list[tuple[str, bool]]:
    """The first k tags of an image by the first seed of a method, and whether each is true."""
    labels = np.asarray(evaluation.test_labels)[row : row + 1]
    scores = np.asarray(evaluation.scores[method][0])[row : row + 1]
    tags = top_k_tags(scores, evaluation.ks[0], labels)[0]
    return [(evaluation.tag_names[tag], bool(labels[0, tag] == 1)) for tag in tags if tag >= 0]


def jpeg(image: np.ndarray) -> str:
    """A small JPEG of an image, in base64."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"an image must be uint8 (height, width, 3), got {image.dtype} {image.shape}"
        )
    picture = Image.fromarray(image)
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()
