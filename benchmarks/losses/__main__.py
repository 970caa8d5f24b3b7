"""The command: runs every measurement, then writes the table, the plot and the text."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pandas as pd

from benchmarks.losses.cases import (
    BATCH,
    ENGINES,
    KERAS_RS,
    METHODS,
    SIZES,
    measures_memory,
    methods_at,
)
from benchmarks.losses.plot import plot
from benchmarks.losses.report import report
from benchmarks.losses.targets import target_lines
from tfrecords_tools.files import write_bytes

ROOT = Path(__file__).parents[2]
PACKAGES = ("tensorflow", "jax", "torch", "keras_rs")
KEY = ("engine", "loss", "num_tags", "scores")
COLUMNS = (*KEY, "milliseconds", "calls", "memory_mb", "memory_over_scores", "note")
FULL = {"rounds": 6, "block_seconds": 0.25, "max_seconds": 12.0}
QUICK = {"rounds": 2, "block_seconds": 0.1, "max_seconds": 1.0}
#: No method is run that is expected to need more for one call.
MOST_SECONDS = 60.0
MOST_OF_FREE_MEMORY = 0.85

START, END = "<!-- benchmark -->", "<!-- end of benchmark -->"
EMPTY_PAGE = f"# How fast the losses are\n\n{START}\n{END}\n"


class Results:
    """What was measured so far, one row for each engine, loss, number of tags and scores."""

    def __init__(self) -> None:
        self.rows: dict[tuple, dict[str, Any]] = {}

    def add(self, *key: Any, **values: Any) -> None:
        self.rows.setdefault(key, dict(zip(KEY, key, strict=True))).update(values)

    def scaled(self, column: str, engine: str, name: str, num_tags: int, scores: str) -> float:
        """The value expected at num_tags, from the largest smaller number that has one; else 0."""
        for smaller in sorted((size for size in SIZES if size < num_tags), reverse=True):
            value = self.rows.get((engine, name, smaller, scores), {}).get(column)
            if value is not None:
                return value * (num_tags / smaller) ** METHODS[name].growth
        return 0.0

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows.values(), columns=COLUMNS)


def run_worker(task: str, engine: str, **job: Any) -> Any:
    """The result of `benchmarks.losses.worker` in a process with the engine's backend."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": ENGINES[engine],
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",  # All engines on the processor.
        "JAX_PLATFORMS": "cpu",
    }
    argument = json.dumps({"task": task, "engine": engine, **job})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.losses.worker", argument],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        reason = f"signal {-done.returncode}" if done.returncode < 0 else "an error"
        raise click.ClickException(f"{done.stderr}\n{argument}\nended by {reason}")
    return json.loads(done.stdout.splitlines()[-1])


def free_memory_mb() -> float:
    match = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    return int(match[1]) * 1024 / 1e6 if match else float("inf")


def why_not(results: Results, engine: str, name: str, num_tags: int, scores: str) -> str:
    """Why a method is not run, by what it took at a smaller size; "" where nothing speaks
    against it."""
    memory = results.scaled("memory_mb", engine, name, num_tags, "untrained")
    seconds = results.scaled("milliseconds", engine, name, num_tags, scores) / 1000
    # Linear methods stay far below it, and at small sizes tracing is most of what they take.
    if METHODS[name].growth > 1 and memory > MOST_OF_FREE_MEMORY * free_memory_mb():
        return f"not run (about {memory / 1000:,.0f} GB)"
    if seconds > MOST_SECONDS:
        return f"not run (about {seconds:,.0f} s a call)"
    return ""


def measure(results: Results, engine: str, num_tags: int, budget: dict[str, Any]) -> None:
    """Time and memory of all losses of one engine at one number of tags."""
    cases = []
    for name in methods_at(engine, num_tags):
        for scores in METHODS[name].scores:
            note = why_not(results, engine, name, num_tags, scores)
            results.add(engine, name, num_tags, scores, note=note)
            if not note:
                cases.append((name, scores))
    click.echo(f"{engine}, {num_tags} tags: time", err=True)
    timed = run_worker("time", engine, num_tags=num_tags, cases=cases, **budget)
    for (name, scores), values in zip(cases, timed, strict=True):
        results.add(engine, name, num_tags, scores, **values)
    for name in {name: None for name, scores in cases if scores == "untrained"}:
        if measures_memory(engine, name, num_tags):
            click.echo(f"{engine}, {num_tags} tags: memory of {name}", err=True)
            size = run_worker("memory", engine, num_tags=num_tags, name=name)
            memory = {
                "memory_mb": size / 1e6,
                "memory_over_scores": size / (BATCH * num_tags * 4),
            }
            results.add(engine, name, num_tags, "untrained", **memory)


def add_computed_memory(results: Results) -> None:
    """What keras-rs would need where it cannot run: the shape of its tables is known."""
    for (engine, name, num_tags, scores), row in results.rows.items():
        memory = results.scaled("memory_mb", engine, name, num_tags, scores)
        if row["note"] and name == KERAS_RS and memory:
            scores_mb = BATCH * num_tags * 4 / 1e6
            tables = memory / (scores_mb * num_tags)
            row["memory_mb"], row["memory_over_scores"] = memory, memory / scores_mb
            row["note"] += (
                f"; memory computed: {tables:.1f} tables of {BATCH} x {num_tags} x {num_tags} "
                "float32, as many as measured at the largest size that ran"
            )


def write_page(path: Path, text: str) -> None:
    """Replace what stands between the markers; a page that is not there gets a heading."""
    page = path.read_text(encoding="utf-8") if path.exists() else EMPTY_PAGE
    before, _, rest = page.partition(START)
    after = rest.partition(END)[2]
    write_bytes(path, f"{before}{START}\n{text}\n{END}{after}".encode())


def check(output: Path) -> None:
    """Refuse before minutes of measuring what would fail after them."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise click.ClickException(
            f"not installed: {', '.join(missing)}; run "
            "pip install -c constraints.txt -e '.[backends,benchmarks]'"
        )
    page = output / "losses.md"
    if page.exists() and not re.search(f"{START}.*{END}", page.read_text("utf-8"), re.DOTALL):
        raise click.ClickException(f"{page} has no markers {START} and {END}")


@click.command()
@click.option("--quick", is_flag=True, help="Few repetitions, and no 5000 tags; to try it.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "docs",
    help="Folder of losses_benchmark.csv, losses_benchmark.png and losses.md; default: docs.",
)
def main(quick: bool, output: Path) -> None:
    """Time and memory of warptag's losses and of other implementations, on every backend."""
    check(output)
    load = os.getloadavg()[0]
    if load > 0.3:
        click.echo(f"the machine is busy (load average {load:.1f}): times will be wrong", err=True)
    results = Results()
    for engine in ENGINES:
        for num_tags in SIZES:
            if methods_at(engine, num_tags) and not (quick and num_tags == 5_000):
                measure(results, engine, num_tags, QUICK if quick else FULL)
    add_computed_memory(results)
    frame = results.frame()
    command = "python -m benchmarks.losses" + " --quick" * quick
    write_bytes(
        output / "losses_benchmark.csv", frame.to_csv(index=False, float_format="%.4g").encode()
    )
    plot(frame, output / "losses_benchmark.png")
    write_page(output / "losses.md", report(frame, command, load))
    click.echo("\n".join(target_lines(frame)))


if __name__ == "__main__":
    main()
