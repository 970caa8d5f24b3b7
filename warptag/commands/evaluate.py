"""`warptag evaluate`: the metrics of a trained run on any records with the same tags."""

from __future__ import annotations

from pathlib import Path

import click

from tfrecords_tools.options import OUTPUT_FILE, PATH, TOP_K
from warptag.commands.common import import_tensorflow


@click.command()
@click.argument("run", type=PATH)
@click.option(
    "--records",
    type=PATH,
    required=True,
    help="Folder of records with the same tags as the run.",
)
@click.option("--split", default="test", show_default=True, help="Split to evaluate.")
@click.option(
    "--topk",
    "ks",
    type=TOP_K,
    multiple=True,
    default=(3, 5),
    show_default=True,
    help="Tags per image; may be given several times.",
)
@click.option(
    "--patches",
    type=click.Choice(["center", "five"]),
    help="Crops per image; default as in the run's experiment.",
)
@click.option("--output", type=OUTPUT_FILE, help="CSV file to write the table to.")
def evaluate(
    run: Path,
    records: Path,
    split: str,
    ks: tuple[int, ...],
    patches: str | None,
    output: Path | None,
) -> None:
    """Print the paper's five metrics of the trained RUN, a folder such as
    results/scenes/models/warp.

    \b
    Example:
      warptag evaluate results/scenes/models/warp --records results/scenes/data
    """
    import_tensorflow()
    from tfrecords_tools.files import write_bytes
    from warptag.pipeline.evaluate import evaluate as evaluate_run

    table = evaluate_run(run, records, split, ks, patches)
    click.echo(f"{run} on {records}, {split}; in percent")
    click.echo(table.to_string(index=False, float_format="%.2f"))
    if output is not None:
        write_bytes(output, table.to_csv(index=False, float_format="%.2f").encode())
