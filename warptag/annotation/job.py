"""Annotating many photographs: tags out, with progress and a line for each failure."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from tfrecords_tools.errors import InputError
from tfrecords_tools.messages import printable
from tfrecords_tools.shards import file_sha256
from tfrecords_tools.sources.tags import is_text_file_tag
from warptag.annotation.output import FORMATS, choose_tags
from warptag.annotation.tagger import Tagger
from warptag.annotation.writers import BesideEach, OneFile, StandardOutput, Writer
from warptag.training.calibration import CALIBRATION
from warptag.training.run_folder import MODEL, SETTINGS


def make_writer(
    form: str,
    output: Path | None,
    overwrite: bool,
    tagger: Tagger,
    topk: int | None,
    threshold: float | None,
) -> Writer:
    """The writer for the options of `warptag annotate`.

    Raises:
        InputError: a text file cannot hold a tag of the run so that `convert folder` reads it back.
    """
    if form == "txt":
        for tag in tagger.tag_names:
            if not is_text_file_tag(tag):
                raise InputError(
                    f"the tag {tag!r} of {tagger.run} would be read back as other tags, since "
                    "commas, semicolons and line ends separate the tags of a text file; write CSV "
                    "or JSON lines instead"
                )
    if output is None:
        formatter = FORMATS[form]
        return BesideEach(formatter, overwrite) if form == "txt" else StandardOutput(formatter)
    files = [tagger.run / name for name in (MODEL, SETTINGS, CALIBRATION)]
    checksums = {path.name: file_sha256(path) for path in files if path.exists()}
    settings = {**checksums, "topk": topk, "threshold": threshold, "format": form}
    return OneFile(FORMATS[form], output, settings)


class Counts(NamedTuple):
    """How many photographs were written, and how many were left out."""

    written: int
    left_out: int


def annotate_photographs(
    tagger: Tagger,
    paths: Iterable[Path],
    writer: Writer,
    topk: int | None,
    threshold: float | None,
    num_photographs: int | None = None,
) -> Counts:
    """Writes the tags of every photograph, in order.

    A photograph that cannot be read is left out and reported on standard error.

    Args:
        tagger: the trained run.
        paths: image files, read as they are needed.
        writer: where the tags go; photographs that it has already are skipped.
        topk: maximum number of tags per photograph; None for all.
        threshold: minimum probability; None for any.
        num_photographs: the number of paths, for the remaining time; None if unknown.

    Raises:
        InputError: nothing can be written any more, or there is no photograph.
    """
    num_written = num_left_out = num_skipped = 0
    # In a terminal the bar would come between the lines of a table.
    lines_in_terminal = isinstance(writer, StandardOutput) and sys.stdout.isatty()
    bar = tqdm(
        total=num_photographs,
        unit="photograph",
        file=sys.stderr,
        disable=True if lines_in_terminal else None,
        dynamic_ncols=True,
    )

    def remaining() -> Iterator[Path]:
        nonlocal num_skipped
        for path in paths:
            if writer.is_done(path):
                num_skipped += 1
                bar.update()
            else:
                yield path

    if writer.num_resumed:
        bar.write(f"Resumed after {writer.num_resumed:,} photographs", file=sys.stderr)
    try:
        for annotation in tagger.annotate(remaining()):
            bar.update()
            error = annotation.error
            if error is None:
                tags = choose_tags(annotation, tagger.tag_names, topk, threshold)
                error = writer.write(annotation.path, tags)
            if error is None:
                num_written += 1
            else:
                num_left_out += 1
                bar.write(f"Left out: {printable(str(error))}", file=sys.stderr)
        if not (num_written or num_left_out or num_skipped):
            raise InputError("there is no photograph to annotate")
        writer.finish()
    finally:
        bar.close()
        writer.close()
    return Counts(num_written, num_left_out)
