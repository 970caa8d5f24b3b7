"""The one definition of a record and of the description of a data set.

A data set is a folder of TFRecord shards, each a sequence of `tf.train.Example` messages, and one
`dataset_info.json`, which is written last: a folder without it is not a data set.

TensorFlow is imported inside the functions that need it, so that the worker processes of a
conversion, which only create `Record`s, start without it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfrecords_tools.errors import DamagedDataset, InputError
from tfrecords_tools.files import write_json
from tfrecords_tools.typed_json import Count, as_type

if TYPE_CHECKING:
    import tensorflow as tf

INFO_FILE = "dataset_info.json"
# In a folder whose conversion has not finished.
JOURNAL_FILE = "conversion.json"
REJECTED_FILE = "rejected.csv"

ENCODED = "image/encoded"
FILENAME = "image/filename"
HEIGHT = "image/height"
WIDTH = "image/width"
TAG_IDS = "image/tag/ids"
TAG_NAMES = "image/tag/names"
UNKNOWN_IDS = "image/tag/unknown_ids"


@dataclass(frozen=True)
class Record:
    """One image and its tags.

    Attributes:
        encoded: the image file, JPEG or PNG, as bytes.
        filename: its name in the source, relative to the source's folder.
        height: in pixels.
        width: in pixels.
        tag_ids: indices of the image's tags, from 0.
        unknown_ids: indices of the tags whose presence the source leaves open.
    """

    encoded: bytes
    filename: str
    height: int
    width: int
    tag_ids: tuple[int, ...]
    unknown_ids: tuple[int, ...] = ()


def serialize(record: Record, tag_names: Sequence[str]) -> bytes:
    """Encodes a record as a serialized `tf.train.Example`.

    Args:
        record: the record; its ids index `tag_names`.
        tag_names: the names of all tags of the data set.

    Raises:
        InputError: a tag id is not in `range(len(tag_names))`, or occurs twice.

    Example:
        >>> record = Record(b"...", "cat.jpg", height=4, width=6, tag_ids=(1,))
        >>> deserialize(serialize(record, ["dog", "cat"])) == record
        True
    """
    import tensorflow as tf

    check_tag_ids(record, len(tag_names))
    names = [tag_names[tag_id].encode() for tag_id in record.tag_ids]

    def of_bytes(*values: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    def of_integers(*values: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    features = {
        ENCODED: of_bytes(record.encoded),
        FILENAME: of_bytes(record.filename.encode()),
        HEIGHT: of_integers(record.height),
        WIDTH: of_integers(record.width),
        TAG_IDS: of_integers(*record.tag_ids),
        TAG_NAMES: of_bytes(*names),
        UNKNOWN_IDS: of_integers(*record.unknown_ids),
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    # Map fields have no fixed order otherwise, and equal data sets must have equal checksums.
    return example.SerializeToString(deterministic=True)


def check_tag_ids(record: Record, num_tags: int) -> None:
    """Raises InputError unless the record's ids are distinct and in `range(num_tags)`."""
    ids = record.tag_ids + record.unknown_ids
    for tag_id in ids:
        if not 0 <= tag_id < num_tags:
            raise InputError(f"{record.filename}: tag id {tag_id}, expected 0 to {num_tags - 1}")
    if len(set(ids)) != len(ids):
        raise InputError(f"{record.filename}: a tag id occurs twice in {sorted(ids)}")


def deserialize(serialized: bytes) -> Record:
    """Decodes what `serialize` wrote.

    Raises:
        InputError: the bytes are not a record of this schema.
    """
    return deserialize_with_tag_names(serialized)[0]


def deserialize_with_tag_names(serialized: bytes) -> tuple[Record, list[str]]:
    """Decodes what `serialize` wrote: the record and its stored tag names; raises InputError."""
    import tensorflow as tf

    try:
        feature = tf.train.Example.FromString(serialized).features.feature
        record = Record(
            encoded=feature[ENCODED].bytes_list.value[0],
            filename=feature[FILENAME].bytes_list.value[0].decode(),
            height=feature[HEIGHT].int64_list.value[0],
            width=feature[WIDTH].int64_list.value[0],
            tag_ids=tuple(feature[TAG_IDS].int64_list.value),
            unknown_ids=tuple(feature[UNKNOWN_IDS].int64_list.value),
        )
        return record, [name.decode() for name in feature[TAG_NAMES].bytes_list.value]
    # DecodeError, protobuf's own exception, has no public base but Exception.
    except Exception as error:
        raise InputError(f"not a record of an image and its tags: {error}") from error


def parse(serialized: tf.Tensor, num_tags: int, num_ids: int | None = None) -> dict[str, tf.Tensor]:
    """Decodes a batch of records in a `tf.data` pipeline; outputs that are not used cost nothing.

    Args:
        serialized: string (n,), serialized records.
        num_tags: the number of tags of the data set, c.
        num_ids: the length K that `tag_ids` is padded to, for large vocabularies; at least the
            number of tags of any image. None for the largest number of tags in the batch.

    Returns:
        A dict of `encoded`, string (n,), the image files; `filename`, string (n,); `height` and
        `width`, int32 (n,), in pixels; `labels`, float32 (n, c), 1 for an image's tags, -1 for
        unknown ones, otherwise 0; `tag_ids`, int32 (n, K), padded with -1; and `unknown_ids`,
        int32 (n, largest number of unknown tags in the batch), padded with -1.

    Example:
        >>> import tensorflow as tf
        >>> files = tf.io.gfile.glob("records/train-*.tfrecord")
        >>> dataset = tf.data.TFRecordDataset(files).batch(32)
        >>> dataset = dataset.map(lambda serialized: parse(serialized, num_tags=3))
        >>> next(iter(dataset))["labels"].shape
        TensorShape([3, 3])
    """
    import tensorflow as tf

    # Padding in the parser is faster than a ragged or sparse tensor.
    integers = tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True, default_value=-1)
    features = tf.io.parse_example(
        serialized,
        {
            ENCODED: tf.io.FixedLenFeature([], tf.string),
            FILENAME: tf.io.FixedLenFeature([], tf.string),
            HEIGHT: tf.io.FixedLenFeature([], tf.int64),
            WIDTH: tf.io.FixedLenFeature([], tf.int64),
            TAG_IDS: integers,
            UNKNOWN_IDS: integers,
        },
    )
    tag_ids, unknown_ids = (tf.cast(features[name], tf.int32) for name in (TAG_IDS, UNKNOWN_IDS))
    ids = tf.concat([tag_ids, unknown_ids], axis=1)
    places = tf.cast(tf.where(ids != -1), tf.int32)
    values = tf.where(places[:, 1] < tf.shape(tag_ids)[1], 1.0, -1.0)
    rows_and_ids = tf.stack([places[:, 0], tf.gather_nd(ids, places)], axis=1)
    labels = tf.scatter_nd(rows_and_ids, values, (tf.size(serialized), num_tags))
    if num_ids is not None:
        widths = [[0, 0], [0, num_ids - tf.shape(tag_ids)[1]]]
        tag_ids = tf.ensure_shape(tf.pad(tag_ids, widths, constant_values=-1), (None, num_ids))
    return {
        "encoded": features[ENCODED],
        "filename": features[FILENAME],
        "height": tf.cast(features[HEIGHT], tf.int32),
        "width": tf.cast(features[WIDTH], tf.int32),
        "labels": labels,
        "tag_ids": tag_ids,
        "unknown_ids": unknown_ids,
    }


@dataclass(frozen=True)
class Shard:
    """One TFRecord file; `file` is its name in the data set's folder."""

    file: str
    num_records: Count
    num_bytes: Count
    sha256: str


@dataclass(frozen=True)
class Split:
    """One part of a data set, such as `train`.

    Attributes:
        num_images: the number of records.
        tag_counts: the number of images with each tag.
        shards: the files of the split, in order.
        num_rejected: the number of damaged images that were left out (see `rejected.csv`).
    """

    num_images: Count
    tag_counts: list[Count]
    shards: list[Shard]
    num_rejected: Count = 0


@dataclass(frozen=True)
class DatasetInfo:
    """What is in a data set: `dataset_info.json`.

    Attributes:
        name: the data set's name, such as `corel5k`.
        source: the class that read the original files.
        settings: the choices made at conversion, such as the image size; JSON values.
        tag_names: the names of the tags; a tag's id is its index.
        splits: the splits by name.
        input_checksum: SHA-256 of the list of images and labels that were converted.

    Example:
        >>> info = DatasetInfo.load("records")
        >>> info.splits["train"].num_images
        3
    """

    name: str
    source: str
    settings: dict[str, Any]
    tag_names: list[str]
    splits: dict[str, Split]
    input_checksum: str = ""

    @property
    def checksum(self) -> str:
        """SHA-256 over the checksums of all shards: equal for equal data, hexadecimal."""
        lines = [
            f"{shard.file} {shard.sha256}\n"
            for _, split in sorted(self.splits.items())
            for shard in split.shards
        ]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> DatasetInfo:
        """Reads the description of the data set in a folder.

        Raises:
            InputError: the folder holds no data set.
            DamagedDataset: the description is damaged.
        """
        path = Path(directory) / INFO_FILE
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(content, dict):
                content.pop("checksum", None)
            info = as_type(content, cls)
            _check_consistency(info)
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(_why_missing(path)) from None
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise DamagedDataset(f"{path} is damaged ({error})", path) from error
        return info

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Writes `dataset_info.json` into a folder, whole or not at all."""
        # The checksum is a property; it is in the file for people and other programs to read.
        content = {**asdict(self), "checksum": self.checksum}
        write_json(Path(directory) / INFO_FILE, content)


def _check_consistency(info: DatasetInfo) -> None:
    """Raises ValueError if parts of a description contradict each other."""
    "".join(info.tag_names).encode()
    if not info.splits:
        raise ValueError("it has no splits")
    for name, split in info.splits.items():
        if len(split.tag_counts) != len(info.tag_names):
            raise ValueError(
                f"the split {name} counts {len(split.tag_counts)} tags, expected "
                f"{len(info.tag_names)}"
            )
        num_records = sum(shard.num_records for shard in split.shards)
        if num_records != split.num_images:
            raise ValueError(
                f"the split {name} has {split.num_images} images, but {num_records} records"
            )
        for shard in split.shards:
            if Path(shard.file).name != shard.file or "\0" in shard.file:
                raise ValueError(f"the split {name} has a shard without a file name")


def _why_missing(path: Path) -> str:
    if not path.parent.is_dir():
        return f"{path.parent} is not a folder; expected a data set in TFRecord files"
    if (path.parent / JOURNAL_FILE).exists():
        return f"{path.parent}: the conversion has not finished; run it again, and it resumes"
    return f"{path.parent} holds no {INFO_FILE}; expected a data set in TFRecord files"
