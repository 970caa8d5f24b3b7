"""The rate of training batches, beside bare decoding and PyTorch, and the memory over an epoch.

    python -m benchmarks.pipeline [--input DIR] [--output FILE.csv] [--quick]

All methods decode the same JPEG images of 256 x 256 pixels, from the same bytes, to random crops
of 220 in batches of 32, in two threads or worker processes. They take turns, round by round.

- decoding alone: `tf.image.decode_and_crop_jpeg` in one parallel loop over bytes in memory, with
  the accurate DCT that warptag and Pillow use, and with TensorFlow's default, which is off by
  several grey levels. Nothing is read, parsed, shuffled or labelled.
- warptag: `Records.training` as users call it, from shards on the disk.
- PyTorch: `torch.utils.data.DataLoader` with Pillow, from bytes in memory.

Memory is measured in a process that reads an epoch of a million small records: a thousand images,
whose shards are listed a thousand times.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from PIL import Image

from benchmarks.photographs import write_jpeg_files
from tfrecords_tools.files import write_bytes
from tfrecords_tools.schema import DatasetInfo, Split
from tfrecords_tools.sources.files import ImageFiles, LabelledImage

SIZE, CROP, BATCH, WORKERS = 256, 220, 32, 2
NUM_TAGS = 81
BARE, BARE_FAST = "decoding alone", "decoding alone, fast DCT"
OURS, PYTORCH = "warptag", "PyTorch DataLoader and Pillow"
# So that an epoch is long, as of a real data set, from few photographs.
RATE_REPEATS = 20
MEMORY_SHARD, MEMORY_REPEATS = 1000, 1000
SMALL = 48


def convert_photographs(
    input_dir: Path | None, count: int, size: int, folder: Path
) -> tuple[Path, list[bytes]]:
    """Converts photographs; returns the folder of records and the JPEG files for training."""
    from tfrecords_tools.convert import convert

    paths = write_jpeg_files(folder / "photographs", input_dir, count + 1, (size, size))
    images = [
        LabelledImage(path.name, tuple(sorted({i % NUM_TAGS, (i + 7) % NUM_TAGS})))
        for i, path in enumerate(paths)
    ]
    tag_names = [f"tag {index}" for index in range(NUM_TAGS)]
    splits = {"train": images[:count], "validation": images[count:]}
    source = ImageFiles(folder / "photographs", tag_names, splits, size=None)
    records = folder / "records"
    convert(source, records, name="photographs", settings={}, workers=WORKERS)
    return records, [path.read_bytes() for path in paths[:count]]


def decoding_alone(encoded: list[bytes], dct_method: str) -> Iterator[Any]:
    import tensorflow as tf

    def decode(one):
        top_left = tf.random.uniform((2,), 0, SIZE - CROP + 1, tf.int32)
        window = tf.concat([top_left, (CROP, CROP)], axis=0)
        return tf.image.decode_and_crop_jpeg(one, window, channels=3, dct_method=dct_method)

    images = tf.data.Dataset.from_tensor_slices(encoded).repeat()
    images = images.map(decode, num_parallel_calls=WORKERS).batch(BATCH).prefetch(2)
    return iter(with_two_threads(images))


def warptag_batches(data: Path) -> Iterator[Any]:
    from warptag.data import Records

    batches = Records(data, "train").training(crop_size=CROP, batch_size=BATCH, seed=0)
    return iter(with_two_threads(batches))


def with_two_threads(dataset):
    import tensorflow as tf

    options = tf.data.Options()
    options.threading.private_threadpool_size = WORKERS
    return dataset.with_options(options)


class PillowCrops:
    """A map-style data set of PyTorch."""

    def __init__(self, encoded: list[bytes]) -> None:
        self.encoded = encoded
        self.labels = np.zeros((len(encoded), NUM_TAGS), np.float32)

    def __len__(self) -> int:
        return len(self.encoded)

    def __getitem__(self, index: int):
        import torch

        top, left = torch.randint(SIZE - CROP + 1, (2,)).tolist()
        with Image.open(io.BytesIO(self.encoded[index])) as image:
            crop = image.convert("RGB").crop((left, top, left + CROP, top + CROP))
        return torch.from_numpy(np.array(crop)), torch.from_numpy(self.labels[index])


def pytorch_batches(encoded: list[bytes]) -> Iterator[Any]:
    from torch.utils.data import DataLoader

    loader = DataLoader(
        PillowCrops(encoded),
        batch_size=BATCH,
        shuffle=True,
        num_workers=WORKERS,
        drop_last=True,
        persistent_workers=True,
        # TensorFlow's threads do not survive a fork.
        multiprocessing_context="spawn",
    )
    while True:
        yield from loader


def measure(methods: dict[str, Callable[[], Iterator]], rounds: int, seconds: float):
    """Images per second of each method in each round."""
    iterators = {name: start() for name, start in methods.items()}
    rates: dict[str, list[float]] = {name: [] for name in methods}
    for batches in iterators.values():
        next(batches)
    for _ in range(rounds):
        for name, batches in iterators.items():
            # What was prefetched while the others ran must not count.
            warm_until = time.perf_counter() + 0.2 * seconds
            while time.perf_counter() < warm_until:
                next(batches)
            started, count = time.perf_counter(), 0
            while time.perf_counter() - started < seconds:
                next(batches)
                count += BATCH
            rates[name].append(count / (time.perf_counter() - started))
    return rates


def rate_table(rates: dict[str, list[float]]) -> pd.DataFrame:
    """Medians; ratios are medians of the rounds' ratios, since a busy machine slows all alike."""

    def ratio(name: str, other: str) -> float:
        return statistics.median(
            one / two for one, two in zip(rates[name], rates[other], strict=True)
        )

    return pd.DataFrame(
        {
            "method": name,
            "images_per_second": round(statistics.median(values)),
            "lowest": round(min(values)),
            "highest": round(max(values)),
            "of_decoding_alone": round(ratio(name, BARE), 3),
            "of_pytorch": round(ratio(name, PYTORCH), 2),
        }
        for name, values in rates.items()
    )


def repeated(data: Path, repeats: int) -> None:
    """Rewrites `dataset_info.json` to list every training shard so many times."""
    info = DatasetInfo.load(data)
    split = info.splits["train"]
    many = Split(
        num_images=split.num_images * repeats,
        tag_counts=[count * repeats for count in split.tag_counts],
        shards=split.shards * repeats,
    )
    replace(info, splits={**info.splits, "train": many}).save(data)


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def memory_of_an_epoch(data: Path) -> dict[str, float]:
    """Resident megabytes at 10, 50 and 100% of an epoch, and images per second."""
    from warptag.data import Records

    records = Records(data, "train")
    batches = iter(records.training(crop_size=SMALL - 8, batch_size=BATCH, seed=0))
    steps = len(records) // BATCH
    started = time.perf_counter()
    found = {}
    for step in range(1, steps + 1):
        next(batches)
        for percent in (10, 50, 100):
            if step == steps * percent // 100:
                found[f"{percent}%"] = round(resident_megabytes(), 1)
    seconds = time.perf_counter() - started
    return {"records": len(records), **found, "images_per_second": round(steps * BATCH / seconds)}


def measure_memory(folder: Path | None, work: Path, repeats: int) -> dict[str, float]:
    data, _ = convert_photographs(folder, MEMORY_SHARD, SMALL, work / "small")
    repeated(data, repeats)
    code = (
        "import json, sys; from pathlib import Path; from benchmarks.pipeline import *; "
        "print(json.dumps(memory_of_an_epoch(Path(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, data],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@click.command()
@click.option(
    "--input",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Corel5K's folder; default: rendered scenes.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The table as CSV.")
@click.option("--quick", is_flag=True, help="Short rounds and a tenth of the records; to try it.")
def main(folder: Path | None, output: Path | None, quick: bool) -> None:
    """Rates and memory of the input pipeline."""
    if find_spec("torch") is None:
        raise click.ClickException(
            "PyTorch is not installed; run pip install -c constraints.txt -e '.[backends]'"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    load = os.getloadavg()[0]
    if load > 0.3:
        click.echo(f"the machine is busy (load average {load:.1f}): rates will be wrong", err=True)
    with tempfile.TemporaryDirectory() as work:
        count = 512 if quick else 2048
        data, encoded = convert_photographs(folder, count, SIZE, Path(work) / "large")
        click.echo(f"{len(encoded)} images, {sum(map(len, encoded)) / len(encoded):.0f} bytes each")
        repeated(data, RATE_REPEATS)
        methods = {
            BARE: lambda: decoding_alone(encoded, "INTEGER_ACCURATE"),
            BARE_FAST: lambda: decoding_alone(encoded, "INTEGER_FAST"),
            OURS: lambda: warptag_batches(data),
            PYTORCH: lambda: pytorch_batches(encoded),
        }
        table = rate_table(measure(methods, *((3, 1.0) if quick else (9, 5.0))))
        click.echo(table.to_string(index=False))
        memory = measure_memory(folder, Path(work), MEMORY_REPEATS // (10 if quick else 1))
    click.echo(
        f"memory over {memory['records']:,} records: {memory['10%']} MB at 10%, "
        f"{memory['50%']} MB at 50%, {memory['100%']} MB at 100% "
        f"({memory['images_per_second']:,} images per second)"
    )
    if output is not None:
        columns = {f"memory_mb_at_{at[:-1]}": memory[at] for at in ("10%", "50%", "100%")}
        for name, value in columns.items():
            table[name] = np.where(table["method"] == OURS, value, np.nan)
        write_bytes(output, table.to_csv(index=False).encode())


if __name__ == "__main__":
    main()
