"""How fast warptag is on one GPU, with JAX and PyTorch and without TensorFlow.

    python -m benchmarks.gpu [--output FILE.csv]
    python -m benchmarks.gpu --corel5k DIR [--results FOLDER]

It needs a GPU that JAX and PyTorch can use, `keras`, `click`, `pandas`, `pillow` and `simplejpeg`.
It has been run on CPUs only, with `--small`, which tries every part in tiny sizes.

- Loss and gradient from 81 to 100,000 tags, over softmax, with jitted JAX and with PyTorch.
- Images per second of the paper's network at 220 pixels with float32 and bfloat16: warptag with
  JAX, over a plain PyTorch loop, channels last, without and with torch.compile. float32 means
  TF32 in the matrix products and convolutions of both.
- The share of WARP in a step: a step with WARP minus one with softmax, over the one with WARP.

With `--corel5k` it trains that network on photographs instead: see `benchmarks.gpu.corel5k`.

Each backend has a process of its own. Rows are written as they are measured, and what fails, such
as `torch.compile` without a compiler, has a row with a note and without a number. After
`--minutes`, what is left is not measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pandas as pd

from benchmarks.gpu.cases import SMALL, SMALL_PHOTOGRAPHS, Photographs, Speed
from benchmarks.gpu.processes import measured
from benchmarks.gpu.report import judge_targets, means_of, table_of
from benchmarks.measuring import FOLDER, show
from tfrecords_tools.files import write_bytes

ROOT = Path(__file__).parents[2]
#: Backend -> its measuring modules, in order.
MODULES = {"jax": ("jax_steps", "losses"), "torch": ("torch_steps", "losses")}


def collect(
    modules: dict[str, tuple[str, ...]],
    sizes: Speed | Photographs,
    minutes: float,
    to_table: Callable[[list[dict[str, Any]]], pd.DataFrame],
    output: Path | None,
) -> tuple[pd.DataFrame, list[str]]:
    """The rows of all modules, and what went wrong; after every row the file is written again."""
    end = time.monotonic() + 60 * minutes
    rows: list[dict[str, Any]] = []
    problems = []
    for backend, names in modules.items():
        try:
            for row in measured(backend, names, sizes, end):
                rows.append(row)
                if output is not None:
                    write_bytes(output, to_table(rows).to_csv(index=False).encode())
        except click.ClickException as problem:
            problems.append(problem.message)
    return to_table(rows), problems


@click.command()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The table as CSV; default: docs/gpu_benchmark.csv, with --small none.",
)
@click.option("--corel5k", type=FOLDER, help="Train on the photographs in this folder instead.")
@click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of runs.csv; default: results/corel5k-gpu, with --small none.",
)
@click.option("--epochs", type=click.IntRange(1), help="Of each run on photographs; default: 25.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=8.0, show_default=True)
@click.option("--small", is_flag=True, help="Tiny sizes, also on a CPU; to try it.")
def main(
    output: Path | None,
    corel5k: Path | None,
    results: Path | None,
    epochs: int | None,
    minutes: float,
    small: bool,
) -> None:
    """Speed of the losses and of training on one GPU."""
    if not small:
        output = output or ROOT / "docs" / "gpu_benchmark.csv"
        results = results or ROOT / "results" / "corel5k-gpu"
    if corel5k is None:
        speed = Speed(**SMALL) if small else Speed()
        table, problems = collect(MODULES, speed, minutes, table_of, output)
        tables = [table.drop(columns=["platform", "device", "versions"])]
        tables += [] if small else [judge_targets(table)]
    else:
        choices: dict[str, Any] = {**(SMALL_PHOTOGRAPHS if small else {})}
        choices |= {} if epochs is None else {"epochs": epochs}
        photographs = Photographs(corel5k, **choices)
        runs = results and results / "runs.csv"
        table, problems = collect({"jax": ("corel5k",)}, photographs, minutes, pd.DataFrame, runs)
        tables = [] if table.empty else [means_of(table)]
    for table in tables:
        if not table.empty:
            show(table.round(4))
    if problems:
        raise click.ClickException("; ".join(problems))


if __name__ == "__main__":
    main()
