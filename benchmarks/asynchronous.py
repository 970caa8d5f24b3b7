"""What stale gradients cost: synchronous training beside 1, 2 and 4 asynchronous workers.

python -m benchmarks.asynchronous [--output FILE.csv] [--seeds N]

The networks of `scenes` are trained with WARP from the command line, as a user would, and tagged
test images are counted. Where all processes share one machine's cores, rates say nothing of what a
cluster would reach; the figures do say what momentum with stale gradients does to the result.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pandas as pd

from warptag.files import write_bytes

WARPTAG = [sys.executable, "-m", "warptag.cli"]
WORKERS = (0, 1, 2, 4)


def train_and_evaluate(workers: int, seed: int, folder: Path) -> dict:
    """One row: the figures of a run on the test images; 0 workers stand for synchronous."""
    run = folder / "models" / "warp"
    command = [*WARPTAG, "train", "scenes"]
    if workers:
        command = [*WARPTAG, "cluster", "scenes", "--workers", str(workers), "--ps", "2"]
    subprocess.run([*command, "--output", folder, "--set", f"seed={seed}"], check=True)
    figures = folder / "figures.csv"
    evaluate = ["evaluate", run, "--records", folder / "data", "--topk", "3", "--output", figures]
    subprocess.run([*WARPTAG, *evaluate], check=True)
    history, timing = (pd.read_csv(run / name) for name in ("history.csv", "timing.csv"))
    return {
        "workers": workers or "synchronous",
        "seed": seed,
        "loss": round(history["loss"].iloc[-1], 4),
        **pd.read_csv(figures).iloc[0].to_dict(),
        "images_per_second": round(timing["images_per_second"].iloc[1:].median()),
    }


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The table as CSV.")
@click.option("--seeds", default=1, show_default=True, help="Runs of each.")
def main(output: Path | None, seeds: int) -> None:
    """Figures by number of workers."""
    rows = []
    for seed in range(seeds):
        for workers in WORKERS:
            with tempfile.TemporaryDirectory() as folder:
                rows.append(train_and_evaluate(workers, seed, Path(folder)))
    table = pd.DataFrame(rows)
    click.echo(table.to_string(index=False))
    if output is not None:
        write_bytes(output, table.to_csv(index=False).encode())


if __name__ == "__main__":
    main()
