"""`warptag annotate`: tags for photographs."""

from __future__ import annotations

import sys
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import cast

import click

from warptag.commands.common import import_tensorflow


@click.command()
@click.argument("photographs", nargs=-1, required=True, metavar="PHOTOGRAPH...")
@click.option(
    "--model",
    "run",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of a trained run, such as results/scenes/models/warp.",
)
@click.option(
    "--topk", type=click.IntRange(1), help="So many tags each; default 5, without --threshold."
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    help="Tags of at least this probability; with --topk at most so many.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "txt"]),
    default="table",
    show_default=True,
    help="json: an object a line. txt: a text file beside each photograph.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for csv or json; a stopped command goes on with it.",
)
@click.option("--overwrite", is_flag=True, help="Replace text files that are there (txt).")
def annotate(
    photographs: tuple[str, ...],
    run: Path,
    topk: int | None,
    threshold: float | None,
    form: str,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Tag each PHOTOGRAPH: a file, a folder with those below it, a pattern in quotation marks, or
    - for names on standard input.

    What cannot be read as an image is reported and left out; the exit status is then 1. A name
    that begins with a dash goes after --.

    \b
    Examples:
      warptag annotate photo.jpg --model results/scenes/models/warp
      warptag annotate ~/photos --model RUN --threshold 0.5 --format csv --output tags.csv
      find . -name '*.jpg' | warptag annotate - --model RUN --format txt
    """
    if output is not None and form not in ("csv", "json"):
        raise click.UsageError(f"--output takes csv or json, not {form}")
    if threshold is not None and threshold != threshold:
        raise click.BadParameter("nan is no probability", param_hint="--threshold")
    if overwrite and form != "txt":
        raise click.UsageError("--overwrite is for --format txt")
    import_tensorflow()
    from warptag.annotation.job import annotate_photographs, make_writer
    from warptag.annotation.photographs import STANDARD_INPUT, find_photographs
    from warptag.annotation.tagger import Tagger

    tagger = Tagger(run)
    if threshold is not None and tagger.calibration is None:
        raise click.UsageError(
            f"--threshold needs probabilities, and those of {run} could not be fitted to its "
            "validation images; use --topk"
        )
    topk = 5 if topk is None and threshold is None else topk
    writer = make_writer(form, output, overwrite, tagger, topk, threshold)

    def paths():
        wanted = STANDARD_INPUT in photographs
        stream = cast(BufferedIOBase, sys.stdin.buffer) if wanted else BytesIO()
        return find_photographs(photographs, stream)

    # Counted by a walk of its own, so that millions of names need not be kept.
    count = None if STANDARD_INPUT in photographs else sum(1 for _ in paths())
    num_unread = annotate_photographs(tagger, paths(), writer, topk, threshold, count)
    if num_unread:
        raise click.exceptions.Exit(1)
