"""One pass over a split that finds the tags, the part and the damage of every record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfrecords_tools.schema import parse
from warptag.data.reading import Shards, decode_batches, input_errors

# Part of an image's name decides whether it is a validation image, so the choice depends neither
# on the order of the records nor on the number of shards.
HASH_BUCKETS = 10_000
BATCH = 256


@dataclass(frozen=True)
class Index:
    """What a pass over a split found; rows and positions are record numbers.

    Attributes:
        whole: boolean (num_records,), False for damaged records.
        buckets: int32 (num_records,), hash of the file name, below `HASH_BUCKETS`.
        tag_rows: int64 (n,), with `tag_ids`, int32 (n,), the tags of all images.
        unknown_rows: int64 (m,), with `unknown_ids`, int32 (m,), their unknown tags.
    """

    whole: np.ndarray
    buckets: np.ndarray
    tag_rows: np.ndarray
    tag_ids: np.ndarray
    unknown_rows: np.ndarray
    unknown_ids: np.ndarray

    def labels(self, keep: np.ndarray, num_tags: int) -> np.ndarray:
        """int8 (num_kept, num_tags) of the kept records: 1, 0, or -1 for unknown."""
        labels = np.zeros((int(keep.sum()), num_tags), np.int8)
        positions = np.cumsum(keep) - 1
        for rows, ids, value in (
            (self.tag_rows, self.tag_ids, 1),
            (self.unknown_rows, self.unknown_ids, -1),
        ):
            used = keep[rows]
            labels[positions[rows[used]], ids[used]] = value
        return labels

    def most_tags(self) -> int:
        """The largest number of tags of an image, at least 1."""
        return max(1, int(np.bincount(self.tag_rows, minlength=1).max()))

    def padded_ids(self, keep: np.ndarray) -> np.ndarray:
        """int32 (num_kept, most_tags()), the tags of the kept records padded with -1."""
        padded = np.full((len(keep), self.most_tags()), -1, np.int32)
        starts = np.searchsorted(self.tag_rows, self.tag_rows)
        padded[self.tag_rows, np.arange(len(self.tag_rows)) - starts] = self.tag_ids
        return padded[keep]


def build_index(shards: Shards, num_tags: int, damaged: str) -> Index:
    """Reads every record once.

    Args:
        shards: the files.
        num_tags: the number of tags of the data set.
        damaged: `"error"`, or `"skip"`: damaged records are marked, and every image is decoded
            (at an eighth of its size) to find them.

    Raises:
        InputError: a record is damaged and `damaged` is `"error"`, or a file cannot be read.
    """
    whole = np.zeros(shards.num_records, bool)
    buckets = np.zeros(shards.num_records, np.int32)
    tags: list[list[np.ndarray]] = [[], []]
    unknown: list[list[np.ndarray]] = [[], []]

    def undamaged(record):
        image = tf.io.decode_jpeg(record["encoded"], channels=3, ratio=8)
        shape = tf.io.extract_jpeg_shape(record["encoded"])
        stored = tf.stack([record["height"], record["width"]])
        return tf.reduce_all(shape[:2] == stored) & (tf.size(image) > 0)

    def look(serialized, _):
        batch = parse(serialized, num_tags)
        ids = tf.concat([batch["tag_ids"], batch["unknown_ids"]], axis=1)
        checks = [tf.debugging.Assert(tf.reduce_all((ids >= -1) & (ids < num_tags)), [ids])]
        if damaged == "skip":
            fields = {name: batch[name] for name in ("encoded", "height", "width")}
            whole = tf.map_fn(undamaged, fields, fn_output_signature=tf.bool)
            checks.append(tf.debugging.Assert(tf.reduce_all(whole), [whole]))
        with tf.control_dependencies(checks):
            bucket = tf.strings.to_hash_bucket_fast(batch["filename"], HASH_BUCKETS)
        return tf.cast(bucket, tf.int32), batch["tag_ids"], batch["unknown_ids"]

    batches = decode_batches(shards, shards.in_order(), look, BATCH, skip_damaged=damaged == "skip")
    with input_errors():
        for decoded, *found in batches.as_numpy_iterator():
            whole[decoded] = True
            buckets[decoded] = found[0]
            for (rows, ids), padded in zip((tags, unknown), found[1:], strict=True):
                row, column = np.nonzero(padded >= 0)
                rows.append(decoded[row])
                ids.append(padded[row, column])
    return Index(whole, buckets, *map(np.concatenate, (*tags, *unknown)))
