"""The order in which training reads the records, which depends on seed and epoch alone."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from warptag.data.reading import Dataset, Shards

#: The number of serialized records in the shuffle buffer.
SHUFFLE_BUFFER = 16_384


def shuffled_batches(
    shards: Shards, *, batch_size: int, seed: int, first_epoch: int = 0
) -> tf.data.Dataset:
    """Endless epochs of batches, each epoch in another order.

    An epoch takes the files in random order, reads eight of them in parallel, and draws from a
    buffer of serialized records. This separates neighbours in a file, such as images of one
    category. Records that do not fill a batch are left out; they are different ones in every
    epoch.

    Args:
        shards: the files, which contain at least one batch of records.
        batch_size: the number of records per batch.
        seed: an integer.
        first_epoch: the epoch to begin with.

    Returns:
        A dataset of ((numbers, records), draws): int64 (batch_size,), string (batch_size,), and
        float32 (batch_size, 4), uniform in [0, 1).
    """
    num_records = sum(shards.lengths)
    buffer = min(SHUFFLE_BUFFER, num_records)

    def one_epoch(epoch):
        # Otherwise the global seed, as set by `keras.utils.set_random_seed`, would matter.
        tf.compat.v1.set_random_seed(1)
        seeds = tf.random.stateless_uniform(
            (3, 2), (seed, epoch), minval=None, maxval=None, dtype=tf.int64, alg="philox"
        )
        files = tf.range(len(shards.paths), dtype=tf.int64)
        files = tf.random.experimental.stateless_shuffle(files, seeds[0], alg="philox")
        records = Dataset.from_tensor_slices(files).interleave(
            shards.read,
            cycle_length=8,
            block_length=4,
            num_parallel_calls=8,
            deterministic=True,
        )
        records = records.shuffle(buffer, seed=seeds[1, 0])
        draws = tf.random.stateless_uniform((num_records, 4), seeds[2], alg="philox")
        examples = Dataset.zip((records, Dataset.from_tensor_slices(draws)))
        return examples.batch(batch_size, drop_remainder=True)

    epochs = Dataset.range(first_epoch, np.iinfo(np.int64).max).flat_map(one_epoch)
    # Decoding continues with these while the buffer is filled for the next epoch.
    return epochs.prefetch(max(2, buffer // 8 // batch_size))
