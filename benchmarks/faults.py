"""What faults do to a conversion and to records: counts, for docs/data.md.

    python -m benchmarks.faults --input COREL5K [--seed 0]

- kill -9 at 20 random moments of a conversion, each followed by the same command;
- a full disk: a small file system if it can be mounted, else a limit on the size of a file;
- 500 photographs damaged in five ways, 100 each;
- a bit flipped at 200 random places of a shard, each followed by `verify`.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from tfrecords_tools.convert import convert
from tfrecords_tools.quiet import import_tensorflow
from tfrecords_tools.schema import INFO_FILE, REJECTED_FILE, DatasetInfo
from tfrecords_tools.sources.files import ImageFiles, LabelledImage
from tfrecords_tools.verify import verify

COMMAND = [sys.executable, "-m", "tfrecords_tools", "convert", "corel5k", "--size", "64"]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def kills(input_dir: Path, scratch: Path, chance: random.Random, count: int = 20) -> str:
    """Kills conversions, runs the command again and compares the bytes."""
    undisturbed = scratch / "undisturbed"
    start = time.perf_counter()
    command = [*COMMAND, "--input", str(input_dir), "--output"]
    subprocess.run([*command, str(undisturbed)], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    wanted = contents(undisturbed)
    same = kept = late = number = 0
    while number < count:
        output = scratch / "killed"
        shutil.rmtree(output, ignore_errors=True)
        process = subprocess.Popen(
            [*command, str(output)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0, seconds))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (output / INFO_FILE).exists():
            assert not verify(output).findings, "a half-written data set passes for a whole one"
            late += 1
            continue
        number += 1
        kept += len(list(output.glob("*.tfrecord")))
        subprocess.run([*command, str(output)], check=True, stdout=subprocess.DEVNULL)
        same += contents(output) == wanted
    return (
        f"kill -9 at {count} random moments of {seconds:.0f} s: {same} ended with the same bytes "
        f"({kept / count:.1f} of {len(list(undisturbed.glob('*.tfrecord')))} shards were kept on "
        f"average; {late} more kills came after the last write, and verify found nothing wrong)"
    )


def full_disk(input_dir: Path, scratch: Path) -> str:
    """Converts onto a file system that is too small, makes room, and converts again."""
    disk = scratch / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    command = [*COMMAND, "--input", str(input_dir), "--output", str(disk / "records")]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        limited = ["bash", "-c", 'ulimit -f 1000; exec "$@"', "-", *command]
        what = "a limit of 1000 KiB per file"
    else:
        limited, what = command, "a full disk of 4 MB"
    try:
        result = subprocess.run(limited, capture_output=True, text=True)
        kept = len(list((disk / "records").glob("*.tfrecord")))
        whole = (disk / "records" / INFO_FILE).exists()
        if limited is command:
            subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        same = contents(disk / "records") == contents(scratch / "undisturbed")
    finally:
        if limited is command:
            subprocess.run(["umount", str(disk)], check=True)
    return (
        f"{what}: exit status {result.returncode}, {len(result.stderr.splitlines())} line of "
        f"error, {kept} shards kept, data set whole: {whole}; run again with room: same bytes: "
        f"{same}\n    {result.stderr.strip().replace(str(scratch), '...')}"
    )


DAMAGES = {
    "cut off": lambda content: content[: len(content) * 2 // 3],
    "emptied": lambda content: b"",
    "an error page": lambda content: b"<!DOCTYPE html><title>404 Not Found</title>",
    "second half zeros": lambda content: (
        content[: len(content) // 2] + bytes(len(content) - len(content) // 2)
    ),
    "header overwritten": lambda content: os.urandom(300) + content[300:],
}


def damaged_files(input_dir: Path, scratch: Path, chance: random.Random) -> str:
    """Damages 500 of 1,000 photographs and looks for each in `rejected.csv`."""
    folder = scratch / "photographs"
    folder.mkdir()
    paths = chance.sample(sorted((input_dir / "db" / "train").glob("*.jpeg")), 1000)
    lines = []
    damaged = set()
    for number, (way, damage) in enumerate(DAMAGES.items()):
        for path in paths[number * 100 : number * 100 + 100]:
            (folder / path.name).write_bytes(damage(path.read_bytes()))
            damaged.add(path.name)
        lines.append(way)
    for path in paths[500:]:
        shutil.copy(path, folder)
    images = [LabelledImage(path.name, (0,)) for path in paths]
    found = {}
    for size in (64, None):
        source = ImageFiles(folder, ["tag"], {"train": images}, size=size)
        output = scratch / f"damaged{size}"
        convert(source, output, name="damaged", settings=source.settings, max_rejected=1)
        with (output / REJECTED_FILE).open(newline="") as file:
            found[size] = {row["filename"] for row in csv.DictReader(file)}
        assert not verify(output).findings
    missed = {
        way: sum(
            path.name not in found[64] & found[None] for path in paths[n * 100 : n * 100 + 100]
        )
        for n, way in enumerate(DAMAGES)
    }
    wrongly = len((found[64] | found[None]) - damaged)
    return (
        f"500 of 1,000 files damaged in five ways ({', '.join(lines)}): missed {missed}, whole "
        f"ones rejected: {wrongly}; the same resized and kept: {found[64] == found[None]}"
    )


def flipped_bytes(scratch: Path, chance: random.Random, count: int = 200) -> str:
    """Flips one random bit of one random byte of a shard at a time and verifies."""
    whole = scratch / "undisturbed"
    split = DatasetInfo.load(whole).splits["test"]
    small = scratch / "flipped"
    shutil.copytree(whole, small)
    path = small / chance.choice(split.shards).file
    content = path.read_bytes()
    found = named = 0
    for _ in range(count):
        position = chance.randrange(len(content))
        changed = bytearray(content)
        changed[position] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        findings = verify(small).findings
        found += any(path.name in finding for finding in findings)
        named += any(f"{path.name}, record" in finding for finding in findings)
    return f"{count} single bits flipped in a shard: {found} found by verify, record named: {named}"


@click.command()
@click.option("--input", "input_dir", required=True, type=click.Path(path_type=Path))
@click.option("--seed", default=0, show_default=True)
def main(input_dir: Path, seed: int) -> None:
    """Prints one line for each kind of fault."""
    import_tensorflow()
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        print(kills(input_dir, scratch, chance), flush=True)
        print(full_disk(input_dir, scratch), flush=True)
        print(damaged_files(input_dir, scratch, chance), flush=True)
        print(flipped_bytes(scratch, chance), flush=True)


if __name__ == "__main__":
    main()
