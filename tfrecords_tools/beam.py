"""The conversion as an Apache Beam pipeline, for more machines than one.

Beam and its runners do the scheduling and the repeating of failed work. An element of the pipeline
is a shard: a machine reads its images and writes it, with the same code as `convert`, so the files
are the same. All machines must see the input and the output folder under the same paths, as on
a network file system.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfrecords_tools import journal
from tfrecords_tools.convert import RejectionLimit, finish, plan_dataset, reuse
from tfrecords_tools.errors import InputError
from tfrecords_tools.loading import Source, load_item, without_items
from tfrecords_tools.schema import INFO_FILE, DatasetInfo
from tfrecords_tools.shards import plan_shards, write_shard


def convert_with_beam(
    source: Source,
    output: str | os.PathLike[str],
    *,
    name: str,
    settings: dict[str, Any],
    runner: str = "DirectRunner",
    pipeline_options: Sequence[str] = (),
    overwrite: bool = False,
    max_rejected: float | None = None,
    validation_share: float | None = None,
) -> DatasetInfo:
    """Does what `convert` does, by a Beam runner. Needs the extra `beam`.

    Args:
        source: the images and tags.
        output: the folder to write into.
        name: the data set's name.
        settings: what was chosen; JSON values.
        runner: such as `DirectRunner`, `FlinkRunner`, `SparkRunner`, `DataflowRunner`.
        pipeline_options: further options of Beam and the runner, as on a command line, such as
            `["--direct_num_workers=2", "--direct_running_mode=multi_processing"]`.
        overwrite: whether to replace another data set in `output`.
        max_rejected: as in `convert`; looked at when all shards are written.
        validation_share: as in `convert`.

    Raises:
        InputError: as `convert`; or Beam is not installed, or does not know the runner.

    Example:
        >>> from tfrecords_tools.sources.folder import Folder
        >>> source = Folder("photos", size=64)
        >>> info = convert_with_beam(source, "beam", name="photos", settings=source.settings)
        >>> info.splits["train"].num_images
        3
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise InputError(
            "Apache Beam is not installed; install it with: pip install 'warptag[beam]'"
        ) from error
    directory = Path(output)
    planned, splits = plan_dataset(source, name, settings, validation_share)
    if (directory / INFO_FILE).exists() and not overwrite:
        return reuse(directory, planned)
    num_images = {split: len(items) for split, items in splits.items()}
    limit = RejectionLimit(sum(num_images.values()), max_rejected)
    plan = plan_shards(num_images)
    finished = journal.begin(directory, planned, [shard.file for shard in plan], overwrite)

    reader = without_items(source)
    tag_names = list(source.tag_names)

    def convert_shard(shard: tuple[str, list[Any]]) -> None:
        file, items = shard
        results = (load_item(reader, item) for item in items)
        journal.note(directory, write_shard(directory, file, results, tag_names))

    shards = [
        (shard.file, list(splits[shard.split][shard.start : shard.stop]))
        for shard in plan
        if shard.file not in finished
    ]
    try:
        options = PipelineOptions([*pipeline_options], runner=runner)
        pipeline = beam.Pipeline(options=options)
    except (ImportError, ValueError) as error:
        raise InputError(f"the runner {runner!r} cannot be used: {error}") from error
    with pipeline:
        _ = (
            pipeline
            | "Shards" >> beam.Create(shards)
            | "Spread" >> beam.Reshuffle()
            | "Convert" >> beam.Map(convert_shard)
        )
    for file, _ in shards:
        shard = journal.noted(directory, file)
        if shard is None:
            raise InputError(
                f"{directory / file} was written by the pipeline but is not whole here; the "
                "machines must share the output folder"
            )
        limit.count(shard.rejected)
        finished[file] = shard
    return finish(directory, planned, num_images, finished)
