"""Whether `reproduce` ends in the same tables however often it is killed.

python -m benchmarks.kills [--kills N] [--seed S] [-- OPTIONS OF warptag reproduce]

Runs `warptag reproduce scenes` undisturbed, then again in another folder, where it is stopped with
SIGKILL, with all its child processes, at random moments and started again. Then every file of the
results must be the same, but for the seconds and the commit in runs.csv and on the report page.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import pandas as pd

from warptag.experiments.runs import MEASURED_EACH_TIME

REPRODUCE = [sys.executable, "-m", "warptag.cli", "reproduce", "scenes"]


def start(output: Path, options: tuple[str, ...]) -> subprocess.Popen:
    return subprocess.Popen(
        [*REPRODUCE, "--output", output, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def differences(one: Path, two: Path) -> list[str]:
    """Names of the files that differ."""
    names = {path.name for folder in (one, two) for path in folder.glob("[!.]*") if path.is_file()}
    found = []
    for name in sorted(names - {"runs.csv", "report.html"}):
        paths = one / name, two / name
        if not all(path.exists() for path in paths) or len({p.read_bytes() for p in paths}) > 1:
            found.append(name)
    runs = [
        pd.read_csv(folder / "runs.csv").drop(columns=MEASURED_EACH_TIME) for folder in (one, two)
    ]
    return found if runs[0].equals(runs[1]) else [*found, "runs.csv"]


@click.command()
@click.option("--kills", default=10, show_default=True, help="How often it is killed.")
@click.option("--seed", default=0, show_default=True, help="Decides the moments.")
@click.argument("options", nargs=-1)
def main(kills: int, seed: int, options: tuple[str, ...]) -> None:
    """Kill reproduce at random moments."""
    moments = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        undisturbed, disturbed = Path(folder) / "undisturbed", Path(folder) / "disturbed"
        started = time.perf_counter()
        assert start(undisturbed, options).wait() == 0
        seconds = time.perf_counter() - started
        click.echo(f"undisturbed: {seconds:.0f} s")
        killed = 0
        while killed < kills:
            process = start(disturbed, options)
            # Spread so that the last ones come near the end: a start alone takes some seconds.
            try:
                process.wait(timeout=moments.uniform(1, 10 + 2 * seconds / kills))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                killed += 1
                click.echo(f"killed {killed} times")
                continue
            click.echo(f"it ended after {killed} kills")
            break
        assert start(disturbed, options).wait() == 0
        found = differences(undisturbed, disturbed)
    click.echo(f"{killed} kills; files that differ: {', '.join(found) or 'none'}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
