"""What the benchmarks share: timing in turns, processes of their own, memory, and tables."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest import mock

import click
import pandas as pd

from tfrecords_tools.files import write_bytes

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
input_option = click.option(
    "--input", "input_dir", type=FOLDER, help="Folder of Corel5K; default: rendered scenes."
)
output_option = click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Also write the table as CSV."
)


def seconds_of(work: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure_in_turns(
    works: Mapping[str, Any], rounds: int, measure: Callable[[Any], float] = seconds_of
) -> pd.DataFrame:
    """Measures several works in turns, so that a busy moment of the machine slows all alike.

    Args:
        works: the works by name.
        rounds: how often each is measured.
        measure: what is measured of a work.

    Returns:
        One column per work, one row per round.
    """
    return pd.DataFrame(
        {name: measure(work) for name, work in works.items()} for _ in range(rounds)
    )


def ratio(measured: pd.DataFrame, one: str, other: str) -> float:
    """The median ratio of two works that were measured in the same rounds."""
    return float((measured[one] / measured[other]).median())


def in_process(function: Callable, *arguments: Any, **environment: str) -> Any:
    """The result of a call in a process of its own, with additional environment variables."""
    variables = {"TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    with (
        mock.patch.dict(os.environ, variables),
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        return pool.submit(function, *arguments).result()


def resident_megabytes() -> float:
    """The memory of this process (Linux only)."""
    return _status_megabytes("VmRSS")


def peak_megabytes() -> float:
    """The peak of the memory of this process (Linux only)."""
    return _status_megabytes("VmHWM")


def _status_megabytes(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024 / 1e6


def load_average() -> float:
    """The load average of the last minute; warns if it is too high to measure times."""
    load = os.getloadavg()[0]
    if load > 0.3:
        click.echo(f"the machine is busy (load average {load:.1f}): times will be wrong", err=True)
    return load


def show(table: pd.DataFrame, output: Path | None = None) -> None:
    """Prints a table, and writes it as CSV if there is a file to write it to."""
    click.echo(table.to_string(index=False))
    if output is not None:
        write_bytes(output, table.to_csv(index=False).encode())
