"""The conversion as an Apache Beam pipeline, on several machines.

Beam and its runners schedule the work and repeat failed work. An element of the pipeline is a
shard: a machine reads its images and writes it with the same code as `convert`, so the files are
the same. All machines must see the input and the output folder under the same paths, as on a
network file system.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tfrecords_tools import journal
from tfrecords_tools.convert import Pending, convert
from tfrecords_tools.errors import InputError
from tfrecords_tools.extras import requires
from tfrecords_tools.loading import Source, load_item, without_items
from tfrecords_tools.schema import DatasetInfo
from tfrecords_tools.shards import FinishedShard


def convert_with_beam(
    source: Source,
    output: str | os.PathLike[str],
    *,
    runner: str = "DirectRunner",
    pipeline_options: Sequence[str] = (),
    **options: Any,
) -> DatasetInfo:
    """Does what `convert` does, with a Beam runner. Needs the extra `beam`.

    Args:
        source: the images and tags.
        output: the folder to write into.
        runner: the name of a runner, such as `DirectRunner`, `FlinkRunner`, `SparkRunner` or
            `DataflowRunner`.
        pipeline_options: further options of Beam and the runner, as on a command line, such as
            `["--direct_num_workers=2", "--direct_running_mode=multi_processing"]`.
        options: further arguments of `convert`, except `workers`. `max_rejected` is checked after
            all shards are written.

    Raises:
        InputError: as `convert`; or Beam is not installed, or does not know the runner.

    Example:
        >>> from tfrecords_tools.sources.folder import Folder
        >>> source = Folder("photos", size=64)
        >>> info = convert_with_beam(source, "beam", name="photos", settings=source.settings)
        >>> info.splits["train"].num_images
        3
    """
    with requires("beam"):
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    try:
        pipeline = beam.Pipeline(options=PipelineOptions([*pipeline_options], runner=runner))
    except (ImportError, ValueError) as error:
        raise InputError(f"the runner {runner!r} cannot be used: {error}") from error
    return convert(source, output, write_shards=partial(_write_shards, beam, pipeline), **options)


def _write_shards(
    beam: Any, pipeline: Any, source: Source, directory: Path, pending: Pending
) -> Generator[FinishedShard, None, None]:
    reader = without_items(source)
    tag_names = list(source.tag_names)

    def convert_shard(shard: tuple[str, Sequence[Any]]) -> None:
        file, items = shard
        results = (load_item(reader, item) for item in items)
        journal.write_and_note(directory, file, results, tag_names)

    with pipeline:
        _ = (
            pipeline
            | "Shards" >> beam.Create(pending)
            | "Spread" >> beam.Reshuffle()
            | "Convert" >> beam.Map(convert_shard)
        )
    for file, _ in pending:
        finished = journal.read_note(directory, file)
        if finished is None:
            raise InputError(
                f"{directory / file} was written by the pipeline but is not whole here; the "
                "machines must share the output folder"
            )
        yield finished
