"""How long the ranking losses take and how much memory they need, on every backend.

python -m benchmarks.losses [--quick] [--output DIR]
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pandas as pd

from benchmarks.losses.cases import (
    BATCH,
    ENGINES,
    METHODS,
    SIZES,
    measures_memory,
    methods_at,
)
from benchmarks.losses.plot import plot
from benchmarks.losses.report import report
from benchmarks.losses.targets import judge_targets
from benchmarks.losses.worker import peak_memory, time_losses
from benchmarks.measuring import in_process, load_average, show
from tfrecords_tools.files import write_bytes

PACKAGES = ("tensorflow", "jax", "torch", "keras_rs")
COLUMNS = (
    *("engine", "loss", "num_tags", "scores"),
    *("milliseconds", "calls", "memory_mb", "memory_over_scores", "note"),
)
#: Number of rounds, seconds of a block and seconds of a case.
FULL, QUICK = (6, 0.25, 12.0), (2, 0.1, 1.0)
#: No method is run that is expected to need more for one call.
MAX_SECONDS = 60.0
MAX_SHARE_OF_MEMORY = 0.7

START, END = "<!-- benchmark -->", "<!-- end of benchmark -->"


def why_not(rows: list[dict[str, Any]], name: str, num_tags: int, scores: str) -> str:
    """Why a method is not run, by what it took at smaller numbers of tags; "" if it is run."""

    def expected(column: str, scores: str) -> float:
        before = [
            row for row in rows if (row["loss"], row["scores"]) == (name, scores) and column in row
        ]
        if not before:
            return 0.0
        return before[-1][column] * (num_tags / before[-1]["num_tags"]) ** METHODS[name].growth

    gigabytes = expected("memory_mb", "untrained") / 1000
    seconds = expected("milliseconds", scores) / 1000
    available = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    # Linear methods stay far below it, and at small sizes tracing is most of what they take.
    if METHODS[name].growth > 1 and gigabytes > MAX_SHARE_OF_MEMORY * available:
        return f"not run (about {gigabytes:,.0f} GB)"
    if seconds > MAX_SECONDS:
        return f"not run (about {seconds:,.0f} s per call)"
    return ""


def measure(engine: str, sizes: list[int], budget: tuple[float, ...]) -> list[dict[str, Any]]:
    """Time and memory of all losses of one engine: one row per loss, number of tags and scores."""
    # All engines run on the processor.
    variables = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    variables["KERAS_BACKEND"] = ENGINES[engine]
    found: list[dict[str, Any]] = []
    for num_tags in sizes:
        rows: list[dict[str, Any]] = [
            {
                **{"engine": engine, "loss": name, "num_tags": num_tags, "scores": scores},
                "note": why_not(found, name, num_tags, scores),
            }
            for name in methods_at(engine, num_tags)
            for scores in METHODS[name].scores
        ]
        found += rows
        rows = [row for row in rows if not row["note"]]
        click.echo(f"{engine}, {num_tags} tags", err=True)
        cases = [(row["loss"], row["scores"]) for row in rows]
        timed = in_process(time_losses, engine, num_tags, cases, *budget, **variables)
        for row, values in zip(rows, timed, strict=True):
            row.update(values)
            name = row["loss"]
            if row["scores"] == "untrained" and measures_memory(engine, name, num_tags):
                megabytes = in_process(peak_memory, engine, num_tags, name, **variables)
                row["memory_mb"] = megabytes
                row["memory_over_scores"] = megabytes * 1e6 / (BATCH * num_tags * 4)
    return found


def check(page: Path) -> None:
    """Refuses before the measurements what would fail after them."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise click.ClickException(
            f"not installed: {', '.join(missing)}; run "
            "pip install -c constraints.txt -e '.[backends,benchmarks]'"
        )
    if page.exists() and END not in page.read_text("utf-8").partition(START)[2]:
        raise click.ClickException(f"{page} does not contain {START} and {END}")


@click.command()
@click.option("--quick", is_flag=True, help="Few repetitions, and no 5000 tags; to try it.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(__file__).parents[2] / "docs",
    help="Folder of losses_benchmark.csv, losses_benchmark.png and losses.md; default: docs.",
)
def main(quick: bool, output: Path) -> None:
    """Time and memory of warptag's losses and of other implementations, on every backend."""
    page = output / "losses.md"
    check(page)
    load = load_average()
    rows = []
    for engine in ENGINES:
        sizes = [c for c in SIZES if methods_at(engine, c) and not (quick and c == 5_000)]
        rows += measure(engine, sizes, QUICK if quick else FULL)
    frame = pd.DataFrame(rows, columns=COLUMNS)
    table = frame.to_csv(index=False, float_format="%.4g")
    write_bytes(output / "losses_benchmark.csv", table.encode())
    plot(frame, output / "losses_benchmark.png")
    text = page.read_text("utf-8") if page.exists() else f"# Losses\n\n{START}\n{END}\n"
    before, _, rest = text.partition(START)
    after = rest.partition(END)[2]
    section = report(frame, "python -m benchmarks.losses" + " --quick" * quick, load)
    write_bytes(page, f"{before}{START}\n{section}\n{END}{after}".encode())
    show(judge_targets(frame))


if __name__ == "__main__":
    main()
