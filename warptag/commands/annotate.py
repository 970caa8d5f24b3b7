"""`warptag annotate`: tags for photographs."""

from __future__ import annotations

import sys
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import cast

import click

from tfrecords_tools.errors import InputError
from tfrecords_tools.options import OUTPUT_FILE, PATH, SHARE, TOP_K
from warptag.commands.common import import_tensorflow


@click.command()
@click.argument("photographs", nargs=-1, required=True, metavar="PHOTOGRAPH...")
@click.option(
    "--model",
    "run",
    type=PATH,
    required=True,
    help="Folder of a trained run, such as results/scenes/models/warp.",
)
@click.option(
    "--topk",
    type=TOP_K,
    help="Maximum number of tags; default 5 without --threshold.",
)
@click.option(
    "--threshold",
    type=SHARE,
    help="Minimum probability of a tag.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "txt"]),
    default="table",
    show_default=True,
    help="json: one object per line. txt: one text file beside each photograph.",
)
@click.option(
    "--output",
    type=OUTPUT_FILE,
    help="File for csv or json; an interrupted command resumes.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing text files (txt).")
def annotate(
    photographs: tuple[str, ...],
    run: Path,
    topk: int | None,
    threshold: float | None,
    form: str,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Tag each PHOTOGRAPH: a file, a folder (with subfolders), a pattern in quotation marks, or -
    for names on standard input.

    A file that cannot be read as an image is reported and left out; the exit status is then 1. A
    name that begins with a dash goes after --.

    \b
    Examples:
      warptag annotate photo.jpg --model results/scenes/models/warp
      warptag annotate ~/photos --model RUN --threshold 0.5 --format csv --output tags.csv
      find . -name '*.jpg' | warptag annotate - --model RUN --format txt
    """
    if output is not None and form not in ("csv", "json"):
        raise click.UsageError(f"--output needs --format csv or json, got {form}")
    if overwrite and form != "txt":
        raise click.UsageError("--overwrite needs --format txt")
    import_tensorflow()
    from warptag.annotation.job import annotate_photographs, make_writer
    from warptag.annotation.photographs import STANDARD_INPUT, find_photographs
    from warptag.annotation.tagger import Tagger

    tagger = Tagger(run)
    if threshold is not None and tagger.calibration is None:
        raise click.UsageError(
            f"--threshold needs probabilities, but {run} has no calibration; use --topk"
        )
    topk = 5 if topk is None and threshold is None else topk
    try:
        writer = make_writer(form, output, overwrite, tagger, topk, threshold)
    except InputError as error:
        raise InputError(f"{error}; choose another --output") from error

    def paths():
        wanted = STANDARD_INPUT in photographs
        stream = cast(BufferedIOBase, sys.stdin.buffer) if wanted else BytesIO()
        return find_photographs(photographs, stream)

    # Counted by a separate walk, so that millions of names need not be kept in memory.
    count = None if STANDARD_INPUT in photographs else sum(1 for _ in paths())
    counts = annotate_photographs(tagger, paths(), writer, topk, threshold, count)
    if form == "txt":
        click.echo(f"Text files written: {counts.written:,}", err=True)
    if writer.num_kept:
        kept = f"Existing text files kept: {writer.num_kept:,}; --overwrite replaces them"
        click.echo(kept, err=True)
    if counts.left_out:
        click.echo(f"{counts.left_out:,} of {sum(counts):,} were left out", err=True)
        raise click.exceptions.Exit(1)
