"""The order in which training sees the records: a function of seed and epoch alone."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from warptag.data.reading import Shards, keep_only

#: Files that are read side by side, and records that are taken from one before the next.
NUM_OPEN_FILES = 8
BLOCK_LENGTH = 4
#: Shuffled records that wait to be decoded, as one part in so many of the shuffle buffer.
PREFETCHED_SHARE = 8


def shuffled_epochs(
    shards: Shards,
    keep: np.ndarray | None,
    *,
    seed: int,
    shuffle_buffer: int,
    first_record: int = 0,
) -> tf.data.Dataset:
    """Endless epochs, each every kept record once, each in another order.

    An epoch takes the files in a random order, reads eight side by side, and draws from a buffer
    of serialized records. Neighbours in a file, as of one category, so come apart even where the
    buffer is small.

    Args:
        shards: the files.
        keep: boolean (num_records,), the records that are used; None for all.
        seed: an integer.
        shuffle_buffer: records in memory to draw from; an eighth more wait to be decoded.
        first_record: how many records to pass over. Whole epochs among them are not read at
            all; the records of the last are read but not decoded.

    Returns:
        Dataset of numbers and serialized records, as of `Shards.in_order`.
    """
    num_files = len(shards.paths)
    num_kept = shards.num_records if keep is None else int(keep.sum())
    first_epoch, passed_over = divmod(first_record, num_kept)
    shuffle_buffer = min(shuffle_buffer, num_kept)
    kept = None if keep is None else tf.constant(keep)

    def one_epoch(epoch):
        # Else the program's global seed, such as `keras.utils.set_random_seed`, would take part.
        tf.compat.v1.set_random_seed(1)
        epoch_seeds = tf.random.stateless_uniform(
            (2,), tf.stack([seed, epoch]), maxval=None, minval=None, dtype=tf.int64, alg="philox"
        )
        files = tf.random.experimental.stateless_shuffle(
            tf.range(num_files, dtype=tf.int64), epoch_seeds, alg="philox"
        )
        records = tf.data.Dataset.from_tensor_slices(files).interleave(
            lambda file: keep_only(shards.read(file), kept),
            cycle_length=NUM_OPEN_FILES,
            block_length=BLOCK_LENGTH,
            num_parallel_calls=NUM_OPEN_FILES,
            deterministic=True,
        )
        return records.shuffle(shuffle_buffer, seed=epoch_seeds[0])

    epochs = tf.data.Dataset.range(first_epoch, np.iinfo(np.int64).max).flat_map(one_epoch)
    # Decoding goes on from these while the buffer is filled again for the next epoch.
    return epochs.skip(passed_over).prefetch(max(1, shuffle_buffer // PREFETCHED_SHARE))
