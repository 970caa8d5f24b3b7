"""Plots of a data set: how frequent its tags are, which occur together, a few of its images."""

from __future__ import annotations

import io
import os
import textwrap
import warnings
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from PIL import Image

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import write_whole
from tfrecords_tools.reading import read_record
from tfrecords_tools.schema import DatasetInfo, Record, Split
from tfrecords_tools.statistics import Statistics

FOLDER = "info"
#: The palette of Okabe and Ito, which color-blind readers can tell apart.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
MAX_NAMES = 90
MAX_NAME_LENGTH = 20
NUM_SAMPLES = 12
SAMPLE_COLUMNS = 4
MAX_CAPTION_LINES = 3


def write_plots(directory: str | os.PathLike[str], statistics: Statistics) -> list[Path]:
    """Writes three plots into the folder `info` of a data set.

    Args:
        directory: the data set's folder.
        statistics: what `read_statistics` found in it.

    Returns:
        The paths of `tag_frequencies.png`, `co_occurrence.png` and `samples.png`.

    Raises:
        InputError: the folder cannot be written.
        DamagedDataset: a record is damaged.

    Example:
        >>> from tfrecords_tools.statistics import read_statistics
        >>> [path.name for path in write_plots("records", read_statistics("records"))]
        ['tag_frequencies.png', 'co_occurrence.png', 'samples.png']
    """
    info = DatasetInfo.load(directory)
    folder = Path(directory) / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        return [
            _write(tag_frequencies(info), folder / "tag_frequencies.png"),
            _write(co_occurrence(info, statistics), folder / "co_occurrence.png"),
            _write(samples(info, Path(directory)), folder / "samples.png"),
        ]
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror}); free some space, or make the folder "
            "writable"
        ) from error


def _write(figure: Figure, path: Path) -> Path:
    with write_whole(path) as temporary, warnings.catch_warnings():
        # Boxes are drawn instead of letters that the font lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(temporary, format="png", dpi=150)
    return path


def tag_frequencies(info: DatasetInfo) -> Figure:
    """Plots the number of images of each tag in each split, on a logarithmic scale.

    The tags are in descending order of their frequency in the first split; up to 90 are named.
    """
    first = next(iter(info.splits.values()))
    order = np.argsort(-np.array(first.tag_counts), kind="stable")
    places = np.arange(1, len(order) + 1)
    step = -(-len(order) // MAX_NAMES)
    figure = Figure(figsize=(12, 6), layout="constrained")
    axes = figure.subplots()
    marker_size = float(np.clip(400 / len(order), 1.5, 6))
    for (name, split), color in zip(info.splits.items(), COLORS, strict=False):
        counts = np.array(split.tag_counts, float)[order]
        missing = int((counts == 0).sum())
        note = f" ({missing:,} tags have none)" if missing else ""
        # A logarithmic scale has no 0.
        counts[counts == 0] = np.nan
        axes.plot(
            places,
            counts,
            "o",
            color=color,
            markersize=marker_size,
            label=f"{name}: {split.num_images:,} images{note}",
        )
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(bottom=0.8)
    axes.set_xlim(0, len(order) + 1)
    axes.set_xticks(
        places[::step],
        [_short(info.tag_names[tag]) for tag in order[::step]],
        rotation=90,
        fontsize=8,
        parse_math=False,
    )
    axes.set_ylabel("images with the tag")
    named = f"; every {step}th is named" if step > 1 else ""
    axes.set_xlabel(f"tags, most frequent first{named}")
    axes.set_title(f"{info.name}: images per tag", parse_math=False)
    axes.grid(axis="y", alpha=0.3)
    axes.legend()
    return figure


def co_occurrence(info: DatasetInfo, statistics: Statistics) -> Figure:
    """Plots the share of the images with the row's tag that also have the column's tag."""
    names = [_short(info.tag_names[tag]) for tag in statistics.frequent_tags]
    counts = statistics.joint_counts.astype(float)
    totals = counts.diagonal()[:, None]
    shares = np.divide(counts, totals, out=np.full_like(counts, np.nan), where=totals > 0)
    # Each tag always occurs with itself.
    np.fill_diagonal(shares, np.nan)
    figure = Figure(figsize=(10, 9), layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor("0.85")
    image = axes.imshow(100 * shares, cmap="Blues", vmin=0, vmax=100)
    for ticks, rotation in ((axes.set_xticks, 90), (axes.set_yticks, 0)):
        ticks(range(len(names)), names, rotation=rotation, fontsize=8, parse_math=False)
    axes.set_ylabel("Of the images with this tag ...")
    axes.set_xlabel("... this percentage also has this tag")
    axes.set_title(
        f"{info.name}: co-occurrence of the most frequent tags, all splits",
        parse_math=False,
    )
    figure.colorbar(image, ax=axes, label="percent of the images with the row's tag", shrink=0.8)
    return figure


def samples(info: DatasetInfo, directory: Path) -> Figure:
    """Shows twelve images spread evenly over the first split, with their tags."""
    name, split = next(iter(info.splits.items()))
    indices = np.unique(np.linspace(0, split.num_images - 1, NUM_SAMPLES).round().astype(int))
    num_rows = -(-len(indices) // SAMPLE_COLUMNS)
    figure = Figure(figsize=(12, 1 + 3 * num_rows), layout="constrained")
    grid = figure.subplots(num_rows, SAMPLE_COLUMNS, squeeze=False).ravel()
    for axes in grid:
        axes.axis("off")
    for axes, index in zip(grid, indices, strict=False):
        record = _record(directory, split, int(index))
        with Image.open(io.BytesIO(record.encoded)) as stored:
            stored.thumbnail((512, 512))
            axes.imshow(stored.convert("RGB"))
        axes.set_title(_caption(record, info.tag_names), fontsize=9, parse_math=False)
    figure.suptitle(
        f"{info.name}: {len(indices)} of the {split.num_images:,} images of the split {name}",
        parse_math=False,
    )
    return figure


def _record(directory: Path, split: Split, index: int) -> Record:
    for shard in split.shards:
        if index < shard.num_records:
            break
        index -= shard.num_records
    return read_record(directory / shard.file, index)


def _caption(record: Record, tag_names: list[str]) -> str:
    tags = ", ".join(tag_names[tag_id] for tag_id in record.tag_ids) or "no tags"
    return "\n".join(textwrap.wrap(tags, 40, max_lines=MAX_CAPTION_LINES, placeholder=" ..."))


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 3]}..."
