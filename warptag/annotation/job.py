"""The whole of `warptag annotate`: photographs in, tags out, with progress and what went wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click
from tqdm import tqdm

from tfrecords_tools.errors import InputError
from tfrecords_tools.messages import printable
from tfrecords_tools.shards import file_sha256
from warptag.annotation.output import choose_tags, make_format
from warptag.annotation.tagger import Tagger
from warptag.annotation.writers import BesideEach, OneFile, StandardOutput
from warptag.training.calibration import CALIBRATION
from warptag.training.run_folder import MODEL, SETTINGS

Writer = StandardOutput | OneFile | BesideEach


def make_writer(
    form: str,
    output: Path | None,
    overwrite: bool,
    tagger: Tagger,
    topk: int | None,
    threshold: float | None,
) -> Writer:
    """Where the tags go; see `warptag.commands.annotate` for what the arguments mean."""
    formatter = make_format(form)
    if output is not None:
        settings = {
            **{
                name: file_sha256(tagger.run / name)
                for name in (MODEL, SETTINGS, CALIBRATION)
                if (tagger.run / name).exists()
            },
            "topk": topk,
            "threshold": threshold,
            "format": form,
        }
        return OneFile(formatter, output, settings)
    return BesideEach(formatter, overwrite) if form == "txt" else StandardOutput(formatter)


def annotate_photographs(
    tagger: Tagger,
    paths: Iterable[Path],
    writer: Writer,
    topk: int | None,
    threshold: float | None,
    num_photographs: int | None = None,
) -> int:
    """Write the tags of every photograph, in order.

    Args:
        tagger: the run.
        paths: image files, taken as they are needed.
        writer: passes over those that it has already, and writes the others.
        topk: at most so many tags each; None for all.
        threshold: the least probability; None for any.
        num_photographs: how many there are, for the time that is left; None where nobody knows.

    Returns:
        How many could not be read, each reported on standard error.

    Raises:
        InputError: nothing can be written any more, or no photograph was named.
    """
    num_unread = num_written = num_passed = 0
    # In a terminal the bar would come between the lines of a table.
    lines_in_terminal = isinstance(writer, StandardOutput) and sys.stdout.isatty()
    bar = tqdm(
        total=num_photographs,
        unit="photograph",
        file=sys.stderr,
        disable=True if lines_in_terminal else None,
        dynamic_ncols=True,
    )

    def say(text: str) -> None:
        bar.write(text, file=sys.stderr)

    def to_do():
        nonlocal num_passed
        for path in paths:
            if writer.is_done(path):
                num_passed += 1
                bar.update()
            else:
                yield path

    if isinstance(writer, OneFile) and writer.num_resumed:
        say(f"{writer.output}: goes on after {writer.num_resumed:,} photographs")
    try:
        for annotation in tagger.annotate(to_do()):
            bar.update()
            error = annotation.error
            if error is None:
                tags = choose_tags(annotation, tagger.tag_names, topk, threshold)
                error = writer.write(annotation.path, tags)
            if error is not None:
                num_unread += 1
                say(f"Left out: {printable(str(error))}")
            else:
                num_written += 1
        if not (num_written or num_unread or num_passed):
            raise InputError("no photograph was named")
        writer.finish()
    except KeyboardInterrupt:
        if not isinstance(writer, StandardOutput):
            raise
        say(f"Stopped after {num_written:,} photographs; with --output a command can go on.")
        raise click.exceptions.Exit(130) from None
    finally:
        bar.close()
        writer.close()
    if isinstance(writer, BesideEach):
        click.echo(f"{num_written:,} text files written", err=True)
        if writer.num_kept:
            click.echo(
                f"{writer.num_kept:,} photographs have one already, which stays; --overwrite "
                "replaces it",
                err=True,
            )
    if num_unread:
        click.echo(f"{num_unread:,} of {num_unread + num_written:,} were left out", err=True)
    return num_unread
