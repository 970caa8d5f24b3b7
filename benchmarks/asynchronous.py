"""What stale gradients cost, and which settings help: synchronous training beside asynchronous.

    python -m benchmarks.asynchronous [--output FILE.csv] [--seeds N]

The network of `scenes` is trained with WARP from the command line, as a user would, and evaluated
on the test images. If all processes share the cores of one machine, the rates say nothing about a
cluster; the metrics do show what momentum with stale gradients does to the result.

With W workers, a gradient is W - 1 updates old on average. What is tried against that:

- a smaller momentum at the same length of a step, rate / (1 - momentum), since staleness itself
  acts like momentum (Mitliagkas et al., "Asynchrony begets momentum", arXiv 1605.09774);
- the rate divided by the number of workers;
- a warm-up: the first epoch with one worker. (The number of workers is no setting of a run, so the
  run resumes from its checkpoint with more of them.)
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import NamedTuple

import click
import pandas as pd

from benchmarks.measuring import output_option, show

WARPTAG = [sys.executable, "-m", "warptag.cli"]
#: Momentum and the rate that gives steps of the same length.
STEPS = ((0.9, 0.01), (0.5, 0.05), (0.0, 0.1))
WARM_UP_EPOCHS = 1


class Case(NamedTuple):
    """What is compared.

    Attributes:
        workers: the number of workers; 0 for synchronous training.
        momentum: the momentum.
        learning_rate: the learning rate.
        warm_up: whether the first epochs are trained with one worker.
    """

    workers: int
    momentum: float
    learning_rate: float
    warm_up: bool = False


CASES = (
    # The gradients of one worker are never stale.
    *(Case(workers, *STEPS[0]) for workers in (0, 1)),
    *(Case(workers, *step) for workers, step in product((2, 4), STEPS)),
    *(Case(4, momentum, rate / 4) for momentum, rate in STEPS),
    *(Case(4, *step, warm_up=True) for step in STEPS[1:]),
)


def train_and_evaluate(case: Case, seed: int, folder: Path, records: Path) -> dict:
    """One row: the metrics of a run on the test images."""
    settings = {"seed": seed, "momentum": case.momentum, "learning_rate": case.learning_rate}
    options: list = ["scenes", "--records", records, "--output", folder]
    for name, value in settings.items():
        options += ["--set", f"{name}={value}"]
    run, metrics = folder / "models" / "warp", folder / "metrics.csv"
    if case.warm_up:
        warm_up([*WARPTAG, "cluster", *options, "--workers", "1"], run)
    command = ["train", *options]
    if case.workers:
        command = ["cluster", *options, "--workers", str(case.workers)]
    subprocess.run([*WARPTAG, *command], check=True)
    evaluate: list = ["evaluate", run, "--records", records, "--topk", "3", "--output", metrics]
    subprocess.run([*WARPTAG, *evaluate], check=True)
    history, timing = (pd.read_csv(run / name) for name in ("history.csv", "timing.csv"))
    return {
        "workers": case.workers or "synchronous",
        "momentum": case.momentum,
        "learning_rate": case.learning_rate,
        "warm_up_epochs": WARM_UP_EPOCHS if case.warm_up else 0,
        "seed": seed,
        "loss": round(history["loss"].iloc[-1], 4),
        **pd.read_csv(metrics).iloc[0].to_dict(),
        "images_per_second": round(timing["images_per_second"].iloc[1:].median()),
    }


def warm_up(command: list, run: Path) -> None:
    """Trains until the checkpoint of the last epoch of the warm-up."""
    with subprocess.Popen(command) as process:
        while not (run / f"checkpoint-{WARM_UP_EPOCHS:05d}.npz").exists():
            if process.poll() is not None:
                raise click.ClickException("the warm-up ended before its first checkpoint")
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)


@click.command()
@output_option
@click.option(
    "--seeds",
    type=click.IntRange(1, 1_000_000),
    default=1,
    show_default=True,
    help="Runs of each case.",
)
def main(output: Path | None, seeds: int) -> None:
    """Metrics by number of workers, momentum, learning rate and warm-up."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder) / "records"
        convert: list = ["-m", "tfrecords_tools", "convert", "scenes", "--output", records]
        subprocess.run([sys.executable, *convert], check=True)
        for number, (seed, case) in enumerate(product(range(seeds), CASES)):
            rows.append(train_and_evaluate(case, seed, Path(folder) / str(number), records))
            # After each run, since all of them take hours.
            show(pd.DataFrame(rows), output)


if __name__ == "__main__":
    main()
