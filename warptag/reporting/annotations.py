"""A sheet of test images with their true tags and the tags each network gives them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from warptag.methods import METHODS
from warptag.reporting.charts import in_style, shorten

CHECK_MARK = "✓"
RIGHT, WRONG = "#00694B", "#6A6A6A"
NUM_IMAGES = 12
COLUMNS = 3
#: More networks than this are in further rows below an image.
METHODS_PER_ROW = 3

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


@in_style
def annotation_sheet(
    images: Mapping[int, np.ndarray], gallery: dict[str, Any], title: str
) -> Figure:
    """Draw the first 12 images with their true tags and each network's tags.

    A true tag is bold with a check mark, a wrong one plain and grey.

    Args:
        images: row -> uint8 array (height, width, 3).
        gallery: what `warptag.reporting.gallery.gallery` returns for these images.
        title: the name of the data.
    """
    entries = gallery["images"][:NUM_IMAGES]
    networks = [method.label for method in METHODS if method.kind == "network"]
    methods = [label for label in networks if label in entries[0]["given"]]
    columns = min(COLUMNS, len(entries))
    in_a_row = min(METHODS_PER_ROW, len(methods))
    cell_width = max(IMAGE_HEIGHT, METHOD_WIDTH * in_a_row)
    method_width = cell_width / in_a_row
    max_letters = int((method_width - 0.25) * BOLD_PER_INCH)
    headings = [textwrap.wrap(method, int(method_width * BOLD_PER_INCH)) for method in methods]
    num_method_lines = max(map(len, headings)) + gallery["k"]
    true_lines = [_true_tags(entry["true"], cell_width) for entry in entries]
    num_method_rows = -(-len(methods) // in_a_row)
    num_lines = max(map(len, true_lines)) + num_method_rows * (num_method_lines + 0.3) + 0.9
    cell_height = IMAGE_HEIGHT + num_lines * LINE
    width = columns * (cell_width + MARGIN) + MARGIN
    height = -(-len(entries) // columns) * (cell_height + MARGIN) + HEADER
    sheet = Figure(figsize=(width, height))
    sheet.set_layout_engine("none")

    def write(x: float, y: float, text: str, **style: Any) -> None:
        """Text with its top left corner x inches from the left and y from the top."""
        style.setdefault("fontsize", FONT_SIZE)
        sheet.text(x / width, 1 - y / height, text, va="top", **style)

    write(MARGIN, 0.14, f"Sample annotations: {title}", fontsize=12, weight="bold")
    legend = f"the {gallery['k']} highest scored tags of each method, first seed; "
    write(MARGIN, 0.38, f"{legend} {CHECK_MARK} bold = a true tag", color="#444444")
    for place, (entry, lines) in enumerate(zip(entries, true_lines, strict=True)):
        left = MARGIN + (place % columns) * (cell_width + MARGIN)
        top = HEADER + (place // columns) * (cell_height + MARGIN)
        _draw_image(sheet, images[entry["row"]], (left, top), cell_width)
        y = top + IMAGE_HEIGHT + 0.5 * LINE
        write(left, y, "\n".join(lines), linespacing=1.3)
        y += (len(lines) + 0.3) * LINE
        for number, method in enumerate(methods):
            row, column = divmod(number, in_a_row)
            x = left + column * method_width
            start = y + row * (num_method_lines + 0.3) * LINE
            heading = "\n".join(headings[number])
            write(x, start, heading, weight="bold", color="#222222", fontsize=FONT_SIZE - 1)
            for line, (tag, right) in enumerate(entry["given"][method], len(headings[number])):
                at, name = start + line * LINE, shorten(tag, max_letters)
                if right:
                    write(x, at, CHECK_MARK, color=RIGHT, weight="bold")
                    write(x + 0.15, at, name, color=RIGHT, weight="bold")
                else:
                    write(x + 0.15, at, name, color=WRONG)
    return sheet


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
    axes.set_axis_off()


def _true_tags(tags: list[str], width: float) -> list[str]:
    return textwrap.wrap(
        "True: " + (", ".join(tags) or "none"),
        int(width * PLAIN_PER_INCH),
        max_lines=MAX_TRUE_LINES,
        placeholder=" …",
    )
