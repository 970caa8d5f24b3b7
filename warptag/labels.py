"""The labels that losses and metrics take: multi-hot rows or padded tag ids."""

from __future__ import annotations

from typing import Any, NamedTuple

from warptag.keras_api import ops, standardize_dtype
from warptag.keras_api.backend import is_concrete

FORMATS = ("multi_hot", "ids")


class Labels(NamedTuple):
    """The labels of a batch, from `read_labels`."""

    positive: Any  # boolean (batch, num_tags)
    negative: Any  # boolean (batch, num_tags); a tag that is neither is unknown
    num_positive: Any  # float (batch,)
    # Float (batch,); NaN for an image with an invalid label or id, for which a compiled graph
    # cannot raise an error.
    num_negative: Any
    # For ids, int (batch, K): each positive tag of an image once and -1 elsewhere.
    tags: Any = None


def check_choice(argument: str, value, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{argument} must be one of {choices}, got {value!r}")


def read_labels(y_true, scores, labels: str) -> Labels:
    """Read and check the labels of a batch.

    Args:
        y_true: for `"multi_hot"`, (batch, num_tags): 1 positive, 0 negative, -1 unknown. For
            `"ids"`, (batch, K): the positive tags of each image, from 0 to num_tags - 1, padded
            with -1; repeated ids count once, and all other tags are negative.
        scores: float (batch, num_tags).
        labels: `"multi_hot"` or `"ids"`.

    Raises:
        ValueError: if the shapes do not match or, outside compiled graphs, if a label is not -1,
            0 or 1 or an id is out of range.
    """
    y_true = ops.convert_to_tensor(y_true)
    _check_shapes(tuple(y_true.shape), tuple(scores.shape), labels)
    if labels == "ids":
        return _read_ids(y_true, scores)
    if standardize_dtype(y_true.dtype).startswith(("bool", "uint")):
        # These dtypes have no -1; PyTorch would compare with 255 instead.
        y_true = ops.cast(y_true, "int32")
    positive, negative = ops.equal(y_true, 1), ops.equal(y_true, 0)
    valid = ops.logical_or(ops.logical_or(positive, negative), ops.equal(y_true, -1))
    num_positive = ops.sum(ops.cast(positive, scores.dtype), axis=-1)
    num_negative = ops.sum(ops.cast(negative, scores.dtype), axis=-1)
    num_negative = ops.where(ops.all(valid, axis=-1), num_negative, float("nan"))
    if is_concrete(num_negative) and bool(ops.any(ops.isnan(num_negative))):
        values = ops.convert_to_numpy(y_true)
        wrong = values[(values != -1) & (values != 0) & (values != 1)][0]
        raise ValueError(f"labels must be 1, 0 or -1 (unknown), got {wrong}")
    return Labels(positive, negative, num_positive, num_negative)


def _read_ids(y_true, scores) -> Labels:
    num_tags = scores.shape[-1]
    if y_true.shape[1] == 0:
        y_true = ops.full((ops.shape(y_true)[0], 1), -1, dtype="int32")
    ids = ops.cast(y_true, "int32")
    valid = ops.logical_and(ops.equal(ops.cast(ids, y_true.dtype), y_true), ids >= -1)
    valid = ops.all(ops.logical_and(valid, ids < num_tags), axis=-1)
    if is_concrete(valid) and not bool(ops.all(valid)):
        values = ops.convert_to_numpy(y_true)
        wrong = values[(values != values.round()) | (values < -1) | (values >= num_tags)][0]
        raise ValueError(
            f"ids must be tags from 0 to {num_tags - 1}, or -1 for padding, got {wrong}"
        )
    ids = ops.where(ops.logical_and(ids >= 0, ids < num_tags), ids, -1)
    # Repeated ids become padding.
    same = ops.equal(ids[:, :, None], ids[:, None, :])
    column = ops.arange(ops.shape(ids)[1])
    repeated = ops.any(ops.logical_and(same, column[None, :] < column[:, None]), axis=-1)
    tags = ops.where(repeated, -1, ids)
    # Padding repeats the image's highest id, so that writing it again changes nothing.
    highest = ops.max(ids, axis=-1, keepdims=True, initial=-1)
    columns = ops.maximum(ops.where(ids >= 0, ids, highest), 0)
    updates = ops.cast(ops.broadcast_to(highest >= 0, ops.shape(ids)), "int32")
    zeros = ops.zeros(ops.shape(scores), "int32")
    positive = ops.cast(write_columns(zeros, columns, updates), "bool")
    num_positive = ops.sum(ops.cast(tags >= 0, scores.dtype), axis=-1)
    num_negative = ops.where(valid, num_tags - num_positive, float("nan"))
    return Labels(positive, ops.logical_not(positive), num_positive, num_negative, tags)


def write_columns(array, columns, values):
    """A copy of array (batch, n) with values (batch, m) in the columns (batch, m) of each row."""
    rows = ops.broadcast_to(ops.arange(ops.shape(columns)[0])[:, None], ops.shape(columns))
    indices = ops.stack([ops.reshape(rows, (-1,)), ops.reshape(columns, (-1,))], axis=-1)
    return ops.scatter_update(array, indices, ops.reshape(values, (-1,)))


def add_by_column(values, columns, like):
    """Zeros of the shape of like (batch, n), plus values (batch, m) in the columns of each row."""
    num_rows, num_columns = ops.shape(like)
    if like.shape[0] == 0:  # Keras on PyTorch takes 0 segments for an unknown number.
        return ops.zeros_like(like)
    segments = ops.reshape(columns + _row_starts(like, columns), (-1,))
    sums = ops.segment_sum(ops.reshape(values, (-1,)), segments, num_rows * num_columns)
    return ops.reshape(sums, (num_rows, num_columns))


def read_columns(array, columns):
    """The entries of array (batch, n) in the columns (batch, m) of each row.

    The same as `ops.take_along_axis`, which copies the whole array on TensorFlow.
    """
    indices = ops.reshape(columns + _row_starts(array, columns), (-1,))
    # Flat, because Keras on JAX loses the shape of the indices of an empty batch.
    return ops.reshape(ops.take(ops.reshape(array, (-1,)), indices, axis=0), ops.shape(columns))


def _row_starts(array, columns):
    """The flat index of the first entry of each row: (batch, 1), of the dtype of columns."""
    num_rows, num_columns = ops.shape(array)
    return num_columns * ops.arange(num_rows, dtype=columns.dtype)[:, None]


def _check_shapes(labels_shape: tuple, scores_shape: tuple, labels: str) -> None:
    # A dimension of None is known only when the graph runs.
    axes = (0, 1) if labels == "multi_hot" else (0,)
    if not len(labels_shape) == len(scores_shape) == 2 or any(
        labels_shape[axis] != scores_shape[axis]
        and None not in (labels_shape[axis], scores_shape[axis])
        for axis in axes
    ):
        expected = (
            "y_true must be (batch, num_tags) (or padded tag ids, with labels='ids')"
            if labels == "multi_hot"
            else "y_true must be (batch, K) padded tag ids"
        )
        raise ValueError(
            f"{expected} and y_pred (batch, num_tags), got shapes {labels_shape} and {scores_shape}"
        )
    if scores_shape[1] is None:
        raise ValueError(
            f"the number of tags must be known, got y_pred of shape {scores_shape}; "
            "give the model's last layer its number of units"
        )
