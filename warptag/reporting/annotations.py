"""A sheet of test images with their true tags and the tags each method gives them."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from warptag.metrics.counts import top_k_tags
from warptag.reporting.evaluation import Evaluation
from warptag.reporting.figure_file import write_figure
from warptag.reporting.plots import describe

CHECK_MARK = "✓"
RIGHT, WRONG = "#00694B", "#7A7A7A"

# Sizes in inches.
METHOD_WIDTH = 1.2
IMAGE_HEIGHT = 2.3
LINE = 0.185
MARGIN = 0.22
HEADER = 0.62
FONT_SIZE = 9
#: Characters of FONT_SIZE that fit an inch, in plain and in bold.
PLAIN_PER_INCH, BOLD_PER_INCH = 14, 12
MAX_TRUE_LINES = 3


def annotation_sheet(
    images: Mapping[int, np.ndarray],
    evaluation: Evaluation,
    path: str | os.PathLike,
    k: int | None = None,
    methods: Sequence[str] | None = None,
    columns: int = 3,
) -> Path:
    """Draw test images with their true tags and each method's top k.

    A right tag is bold with a check mark, a wrong one plain and grey. Scores of the first seed.

    Args:
        images: row of the evaluation -> uint8 array (height, width, 3).
        evaluation: the measured scores.
        path: where the PNG goes.
        k: number of tags given; the first k of the evaluation by default.
        methods: columns of tags under an image; the CNNs by default, else all methods.
        columns: images in a row of the sheet.

    Raises:
        ValueError: no images, an image that is not uint8 (height, width, 3), a row the evaluation
            does not have, a method without scores, or columns below 1.

    Example:
        >>> image = np.zeros((40, 60, 3), np.uint8)
        >>> annotation_sheet({0: image}, evaluation, "annotations.png", k=3)
        PosixPath('annotations.png')
    """
    k = evaluation.ks[0] if k is None else k
    methods = list(methods or evaluation.cnn_methods or evaluation.methods)
    _check(images, evaluation, methods, columns)
    columns = min(columns, len(images))
    cell_width = max(IMAGE_HEIGHT, METHOD_WIDTH * len(methods))
    true_lines = {row: _true_tags(evaluation, row, cell_width) for row in images}
    num_true_lines = max(len(lines) for lines in true_lines.values())
    cell_height = IMAGE_HEIGHT + (num_true_lines + k + 2.2) * LINE
    num_rows = -(-len(images) // columns)
    width = columns * (cell_width + MARGIN) + MARGIN
    height = num_rows * (cell_height + MARGIN) + HEADER

    sheet = Figure(figsize=(width, height), facecolor="white")

    def write(x: float, y: float, text: str, **style: Any) -> None:
        """Text with its top left corner x inches from the left and y from the top."""
        options: dict[str, Any] = {"fontsize": FONT_SIZE, "va": "top", "parse_math": False}
        sheet.text(x / width, 1 - y / height, text, **(options | style))

    seed = ", first seed" if any(len(evaluation.scores[method]) > 1 for method in methods) else ""
    write(MARGIN, 0.14, f"Sample annotations: {describe(evaluation)}", fontsize=12, weight="bold")
    legend = f"the {k} highest scored tags of each method{seed};  {CHECK_MARK} bold = a true tag"
    write(MARGIN, 0.38, legend, color="#444444")

    for place, (row, image) in enumerate(images.items()):
        left = MARGIN + (place % columns) * (cell_width + MARGIN)
        top = HEADER + (place // columns) * (cell_height + MARGIN)
        _draw_image(sheet, image, (left, top), cell_width)
        y = top + IMAGE_HEIGHT + 0.5 * LINE
        for line in true_lines[row]:
            write(left, y, line)
            y += LINE
        y += 0.3 * LINE
        method_width = cell_width / len(methods)
        for number, method in enumerate(methods):
            x = left + number * method_width
            write(x, y, _short(method), weight="bold", color="#222222", fontsize=FONT_SIZE - 0.5)
            scores = np.asarray(evaluation.scores[method][0])[row : row + 1]
            labels = np.asarray(evaluation.test_labels)[row : row + 1]
            for line_number, tag in enumerate(top_k_tags(scores, k, labels)[0], start=1):
                if tag < 0:
                    continue
                right = labels[0, tag] == 1
                name = _fit(evaluation.tag_names[tag], method_width - 0.25)
                at = y + line_number * LINE
                if right:
                    write(x, at, CHECK_MARK, color=RIGHT, weight="bold")
                style = {"color": RIGHT, "weight": "bold"} if right else {"color": WRONG}
                write(x + 0.15, at, name, **style)
    return write_figure(path, sheet)


def _check(
    images: Mapping[int, np.ndarray],
    evaluation: Evaluation,
    methods: list[str],
    columns: int,
) -> None:
    if not images or columns < 1:
        raise ValueError(f"need an image and a column, got {len(images)} and {columns}")
    for method in methods:
        if method not in evaluation.scores:
            raise ValueError(f"{method}: no scores; there are {', '.join(evaluation.methods)}")
    for row, image in images.items():
        if not 0 <= row < len(evaluation.test_labels):
            raise ValueError(
                f"image {row} is not a row of the {len(evaluation.test_labels)} test images"
            )
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(
                f"image {row} must be uint8 (height, width, 3), got {image.dtype} {image.shape}"
            )


def _draw_image(
    sheet: Figure, image: np.ndarray, corner_in_inches: tuple[float, float], cell_width: float
) -> None:
    """Fit an image into a cell's width and IMAGE_HEIGHT, at the left and bottom of it."""
    scale = min(IMAGE_HEIGHT / image.shape[0], cell_width / image.shape[1])
    image_height, image_width = (side * scale for side in image.shape[:2])
    left, top = corner_in_inches
    width, height = sheet.get_size_inches()
    corner = (left / width, 1 - (top + IMAGE_HEIGHT) / height)
    axes = sheet.add_axes((*corner, image_width / width, image_height / height))
    axes.imshow(image, aspect="auto", interpolation="bilinear")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(color="#bbbbbb", linewidth=0.6)


def _true_tags(evaluation: Evaluation, row: int, width: float) -> list[str]:
    labels = np.asarray(evaluation.test_labels)[row]
    names = [evaluation.tag_names[tag] for tag in np.flatnonzero(labels == 1)]
    return textwrap.wrap(
        "True: " + (", ".join(names) or "none"),
        int(width * PLAIN_PER_INCH),
        max_lines=MAX_TRUE_LINES,
        placeholder=" …",
    )


def _short(method: str) -> str:
    return method.removeprefix("CNN + ").removeprefix("Visual Feature + ")


def _fit(name: str, width: float) -> str:
    room = int(width * BOLD_PER_INCH)
    return name if len(name) <= room else name[: room - 1] + "…"
