"""Whether `reproduce` ends in the same tables however often it is killed.

    python -m benchmarks.kills [--kills N] [--seed S] [-- OPTIONS OF warptag reproduce]

Runs `warptag reproduce scenes` undisturbed, then again in another folder, where it and its child
processes are killed at random moments with SIGKILL and it is started again. Then every file of the
results must be the same, except for the seconds and the commit in runs.csv and on the report page.
"""

from __future__ import annotations

import filecmp
import os
import random
import signal
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import click
import pandas as pd

from benchmarks.measuring import seconds_of
from warptag.pipeline.runs import MEASURED_EACH_TIME

REPRODUCE = [sys.executable, "-m", "warptag.cli", "reproduce", "scenes", "--output"]


def ends_within(command: list, seconds: float) -> bool:
    """Whether a command ends by itself; otherwise it is killed with its child processes."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return False
    return True


def differences(one: Path, two: Path) -> list[str]:
    """Names of the files that differ, or that only one folder contains."""
    names = {path.name for folder in (one, two) for path in folder.glob("[!.]*") if path.is_file()}
    names -= {"runs.csv", "report.html"}
    _, different, missing = filecmp.cmpfiles(one, two, sorted(names), shallow=False)
    runs = [
        pd.read_csv(folder / "runs.csv").drop(columns=MEASURED_EACH_TIME) for folder in (one, two)
    ]
    return [*different, *missing, *([] if runs[0].equals(runs[1]) else ["runs.csv"])]


@click.command()
@click.option(
    "--kills",
    type=click.IntRange(1, 1_000_000),
    default=10,
    show_default=True,
    help="Number of kills.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Decides the moments.",
)
@click.argument("options", nargs=-1)
def main(kills: int, seed: int, options: tuple[str, ...]) -> None:
    """Kills reproduce at random moments and compares its results."""
    moments = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        undisturbed, disturbed = Path(folder) / "undisturbed", Path(folder) / "disturbed"
        run = partial(subprocess.run, stdout=subprocess.DEVNULL, check=True)
        seconds = seconds_of(partial(run, [*REPRODUCE, undisturbed, *options]))
        click.echo(f"undisturbed: {seconds:.0f} s")
        command = [*REPRODUCE, disturbed, *options]
        killed = 0
        # Spread so that the last kills come near the end; the start alone takes some seconds.
        while killed < kills and not ends_within(
            command, moments.uniform(1, 10 + 2 * seconds / kills)
        ):
            killed += 1
            click.echo(f"killed {killed} times")
        run(command)
        found = differences(undisturbed, disturbed)
    click.echo(f"{killed} kills; files that differ: {', '.join(found) or 'none'}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
