"""What faults do to a conversion and to records: counts.

    python -m benchmarks.faults --input COREL5K [--seed 0]

- kill -9 at 20 random moments of a conversion, each followed by the same command;
- a full disk: a small file system, which only root can mount;
- 500 photographs damaged in five ways, 100 each;
- a bit flipped at 200 random places of a shard, each followed by `verify`.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import click
import pandas as pd

from benchmarks.measuring import FOLDER, seconds_of
from benchmarks.photographs import source_of
from tfrecords_tools.convert import convert
from tfrecords_tools.quiet import import_tensorflow
from tfrecords_tools.schema import INFO_FILE, REJECTED_FILE, DatasetInfo
from tfrecords_tools.verify import verify

COMMAND = [sys.executable, "-m", "tfrecords_tools", "convert", "corel5k", "--size", "64"]
run = partial(subprocess.run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def contents(folder: Path) -> dict[str, bytes]:
    """The content of every file of a folder by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def num_shards(folder: Path) -> int:
    return len(list(folder.glob("*.tfrecord")))


def kills(command: list, scratch: Path, chance: random.Random, count: int = 20) -> str:
    """Kills conversions, runs the command again and compares the bytes."""
    undisturbed, killed = scratch / "undisturbed", scratch / "killed"
    seconds = seconds_of(partial(run, [*command, undisturbed], check=True))
    same = kept = late = number = 0
    while number < count:
        shutil.rmtree(killed, ignore_errors=True)
        with suppress(subprocess.TimeoutExpired):
            run([*command, killed], timeout=chance.uniform(0, seconds))
        if (killed / INFO_FILE).exists():
            assert not verify(killed).findings, "a half-written data set passes for a whole one"
            late += 1
            continue
        number += 1
        kept += num_shards(killed)
        run([*command, killed], check=True)
        same += contents(killed) == contents(undisturbed)
    return (
        f"kill -9 at {count} random moments of {seconds:.0f} s: {same} ended with the same bytes "
        f"({kept / count:.1f} of {num_shards(undisturbed)} shards were kept on average; {late} "
        "more kills came after the last write, and verify found nothing wrong)"
    )


def full_disk(command: list, scratch: Path) -> str:
    """Converts onto a file system that is too small, makes room, and converts again."""
    disk = scratch / "disk"
    disk.mkdir()
    output = disk / "records"
    run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
    try:
        result = subprocess.run([*command, output], capture_output=True, text=True)
        kept, whole = num_shards(output), (output / INFO_FILE).exists()
        run(["mount", "-o", "remount,size=100m", disk], check=True)
        run([*command, output], check=True)
        same = contents(output) == contents(scratch / "undisturbed")
    finally:
        run(["umount", disk], check=True)
    return (
        f"a full disk of 4 MB: exit status {result.returncode}, "
        f"{len(result.stderr.splitlines())} line of error, {kept} shards kept, data set whole: "
        f"{whole}; run again with room: same bytes: {same}\n"
        f"    {result.stderr.strip().replace(str(scratch), '...')}"
    )


DAMAGES = {
    "cut off": lambda content, chance: content[: len(content) * 2 // 3],
    "emptied": lambda content, chance: b"",
    "an error page": lambda content, chance: b"<!DOCTYPE html><title>404 Not Found</title>",
    "second half zeros": lambda content, chance: (
        content[: len(content) // 2] + bytes(len(content) - len(content) // 2)
    ),
    "header overwritten": lambda content, chance: chance.randbytes(300) + content[300:],
}


def damaged_files(input_dir: Path, scratch: Path, chance: random.Random) -> str:
    """Damages 500 of 1,000 photographs and looks for each in `rejected.csv`."""
    folder = scratch / "photographs"
    folder.mkdir()
    paths = [
        Path(shutil.copy(path, folder))
        for path in chance.sample(sorted((input_dir / "db" / "train").glob("*.jpeg")), 1000)
    ]
    damaged = {}
    for number, (way, damage) in enumerate(DAMAGES.items()):
        for path in paths[100 * number : 100 * (number + 1)]:
            path.write_bytes(damage(path.read_bytes(), chance))
            damaged[path.name] = way
    found = {}
    for size in (64, None):
        source, output = source_of(paths, size), scratch / f"damaged{size}"
        convert(source, output, name="damaged", settings=source.settings, max_rejected=1)
        found[size] = set(pd.read_csv(output / REJECTED_FILE)["filename"])
        assert not verify(output).findings
    missed = [way for name, way in damaged.items() if name not in found[64] & found[None]]
    return (
        f"500 of 1,000 files damaged in five ways ({', '.join(DAMAGES)}): missed "
        f"{ {way: missed.count(way) for way in DAMAGES} }, whole ones rejected: "
        f"{len((found[64] | found[None]) - set(damaged))}; the same resized and kept: "
        f"{found[64] == found[None]}"
    )


def flipped_bits(scratch: Path, chance: random.Random, count: int = 200) -> str:
    """Flips one random bit of a shard at a time and verifies."""
    flipped = scratch / "flipped"
    shutil.copytree(scratch / "undisturbed", flipped)
    path = flipped / chance.choice(DatasetInfo.load(flipped).splits["test"].shards).file
    content = path.read_bytes()
    found = named = 0
    for _ in range(count):
        changed = bytearray(content)
        changed[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        findings = verify(flipped).findings
        found += any(path.name in finding for finding in findings)
        named += any(f"{path.name}, record" in finding for finding in findings)
    return f"{count} single bits flipped in a shard: {found} found by verify, record named: {named}"


@click.command()
@click.option("--input", "input_dir", required=True, type=FOLDER, help="Folder of Corel5K.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Decides the moments and the places.",
)
def main(input_dir: Path, seed: int) -> None:
    """Prints a line for each kind of fault."""
    import_tensorflow()
    chance = random.Random(seed)
    command = [*COMMAND, "--input", input_dir, "--output"]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        click.echo(kills(command, scratch, chance))
        click.echo(full_disk(command, scratch))
        click.echo(damaged_files(input_dir, scratch, chance))
        click.echo(flipped_bits(scratch, chance))


if __name__ == "__main__":
    main()
