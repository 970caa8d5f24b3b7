"""The rate of training batches, beside bare decoding and PyTorch, and the memory over an epoch.

    python -m benchmarks.pipeline [--input DIR] [--output FILE.csv] [--quick]

All methods decode the same JPEG images of 256 x 256 pixels, from the same bytes, to random crops
of 220 in batches of 32, in two threads or worker processes. They take turns, round by round.

- decoding alone: `tf.image.decode_and_crop_jpeg` in one parallel loop over bytes in memory, with
  the accurate DCT that warptag and Pillow use, and with TensorFlow's default, which is off by
  several gray levels. Nothing is read, parsed, shuffled or labelled.
- warptag: `Records.training` as users call it, from shards on the disk.
- PyTorch: `torch.utils.data.DataLoader` with Pillow, from bytes in memory.

Memory is measured in a process that reads an epoch of a million small records: a thousand images,
whose shards are listed a thousand times.
"""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from PIL import Image

from benchmarks.measuring import (
    in_process,
    input_option,
    load_average,
    measure_in_turns,
    output_option,
    ratio,
    resident_megabytes,
    show,
)
from benchmarks.photographs import NUM_TAGS, source_of, write_jpeg_files
from tfrecords_tools.schema import Split

SIZE, CROP, BATCH, WORKERS = 256, 220, 32, 2
BARE, BARE_FAST = "decoding alone", "decoding alone, fast DCT"
OURS, PYTORCH = "warptag", "PyTorch DataLoader and Pillow"
# So that an epoch is as long as that of a real data set, from few photographs.
RATE_REPEATS = 20
MEMORY_SHARD, MEMORY_REPEATS = 1000, 1000
SMALL = 48


def convert_photographs(
    input_dir: Path | None, count: int, size: int, repeats: int, folder: Path
) -> tuple[Path, list[bytes]]:
    """Converts photographs, and lists every training shard so many times.

    Returns:
        The folder of the records, and the JPEG files of the training images.
    """
    from tfrecords_tools.convert import convert

    paths = write_jpeg_files(folder / "photographs", input_dir, count + 1, (size, size))
    records = folder / "records"
    info = convert(source_of(paths), records, name="photographs", settings={}, workers=WORKERS)
    split = info.splits["train"]
    many = Split(
        num_images=split.num_images * repeats,
        tag_counts=[count * repeats for count in split.tag_counts],
        shards=split.shards * repeats,
    )
    replace(info, splits={**info.splits, "train": many}).save(records)
    return records, [path.read_bytes() for path in paths[:count]]


def decoding_alone(encoded: list[bytes], dct_method: str) -> Iterator[Any]:
    import tensorflow as tf

    def decode(one):
        top_left = tf.random.uniform((2,), 0, SIZE - CROP + 1, tf.int32)
        window = tf.concat([top_left, (CROP, CROP)], axis=0)
        return tf.image.decode_and_crop_jpeg(one, window, channels=3, dct_method=dct_method)

    images = tf.data.Dataset.from_tensor_slices(encoded).repeat()
    images = images.map(decode, num_parallel_calls=WORKERS).batch(BATCH).prefetch(2)
    return with_two_threads(images)


def warptag_batches(data: Path) -> Iterator[Any]:
    from warptag.data import Records

    batches = Records(data, "train").training(crop_size=CROP, batch_size=BATCH, seed=0)
    return with_two_threads(batches)


def with_two_threads(dataset) -> Iterator[Any]:
    import tensorflow as tf

    options = tf.data.Options()
    options.threading.private_threadpool_size = WORKERS
    return iter(dataset.with_options(options))


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

    images: Any = PillowCrops(encoded)
    loader: Any = DataLoader(
        images,
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


def rate_of(batches: Iterator, seconds: float) -> float:
    """Images per second over so many seconds."""
    # What was prefetched while the others ran must not count.
    warm_until = time.perf_counter() + 0.2 * seconds
    while time.perf_counter() < warm_until:
        next(batches)
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        next(batches)
        count += BATCH
    return count / (time.perf_counter() - started)


def memory_of_an_epoch(data: Path) -> dict[int, float]:
    """The resident megabytes at 10, 50 and 100% of an epoch."""
    from warptag.data import Records

    records = Records(data, "train")
    steps = len(records) // BATCH
    percents = {steps * percent // 100: percent for percent in (10, 50, 100)}
    batches = iter(records.training(crop_size=SMALL - 8, batch_size=BATCH, seed=0))
    found = {}
    for step in range(1, steps + 1):
        next(batches)
        if step in percents:
            found[percents[step]] = round(resident_megabytes(), 1)
    return found


@click.command()
@input_option
@output_option
@click.option("--quick", is_flag=True, help="Short rounds and a tenth of the records; to try it.")
def main(input_dir: Path | None, output: Path | None, quick: bool) -> None:
    """Rates and memory of the input pipeline."""
    if find_spec("torch") is None:
        raise click.ClickException(
            "PyTorch is not installed; run pip install -c constraints.txt -e '.[backends]'"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    load_average()
    rounds, seconds, count = (3, 1.0, 512) if quick else (9, 5.0, 2048)
    with tempfile.TemporaryDirectory() as work:
        data, encoded = convert_photographs(
            input_dir, count, SIZE, RATE_REPEATS, Path(work) / "large"
        )
        click.echo(f"{len(encoded)} images, {sum(map(len, encoded)) / len(encoded):.0f} bytes each")
        batches = {
            BARE: decoding_alone(encoded, "INTEGER_ACCURATE"),
            BARE_FAST: decoding_alone(encoded, "INTEGER_FAST"),
            OURS: warptag_batches(data),
            PYTORCH: pytorch_batches(encoded),
        }
        for iterator in batches.values():
            next(iterator)
        rates = measure_in_turns(batches, rounds, partial(rate_of, seconds=seconds))
        repeats = MEMORY_REPEATS // (10 if quick else 1)
        small, _ = convert_photographs(
            input_dir, MEMORY_SHARD, SMALL, repeats, Path(work) / "small"
        )
        memory = in_process(memory_of_an_epoch, small)
    table = pd.DataFrame(
        {
            "method": name,
            "images_per_second": round(rates[name].median()),
            "lowest": round(rates[name].min()),
            "highest": round(rates[name].max()),
            "of_decoding_alone": round(ratio(rates, name, BARE), 3),
            "of_pytorch": round(ratio(rates, name, PYTORCH), 2),
        }
        for name in batches
    )
    for percent, megabytes in memory.items():
        column = f"memory_mb_at_{percent}"
        table[column] = np.where(table["method"] == OURS, megabytes, np.nan)
    show(table, output)


if __name__ == "__main__":
    main()
