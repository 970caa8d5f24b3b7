"""The labels that losses and metrics take: multi-hot rows with unknowns, or padded tag ids."""

from __future__ import annotations

from typing import Any, NamedTuple

from warptag.backends import is_concrete
from warptag.keras_api import ops, standardize_dtype

FORMATS = ("multi_hot", "ids")


class Labels(NamedTuple):
    """Labels of a batch, read by `read_labels`.

    Attributes:
        positive: boolean (batch, num_tags).
        negative: boolean (batch, num_tags); a tag that is neither is unknown.
        num_positive: float (batch,).
        num_negative: float (batch,), negatives of each image. NaN where an image has a label or
            id that does not exist, which a compiled graph cannot refuse.
        tags: None for multi-hot labels; else int (batch, K), each positive tag of an image once
            and -1 elsewhere.
    """

    positive: Any
    negative: Any
    num_positive: Any
    num_negative: Any
    tags: Any = None


def check_format(labels: str) -> str:
    if labels not in FORMATS:
        raise ValueError(f"labels must be one of {FORMATS}, got {labels!r}")
    return labels


def read_labels(y_true, scores, labels: str) -> Labels:
    """Masks of the positive and the negative tags.

    Args:
        y_true: for `"multi_hot"` (batch, num_tags): 1 positive, 0 negative, -1 unknown. For
            `"ids"` (batch, K): the positive tags of each image from 0 to num_tags - 1, padded
            with -1; a repeated id counts once and every other tag is negative.
        scores: float (batch, num_tags).
        labels: `"multi_hot"` or `"ids"`.

    Raises:
        ValueError: the shapes do not fit, or, where values can be seen (outside of compiled
            graphs), a label is not -1, 0 or 1 or an id is out of range.
    """
    y_true = ops.convert_to_tensor(y_true)
    _check_shapes(tuple(y_true.shape), tuple(scores.shape), labels)
    if labels == "ids":
        return _read_ids(y_true, scores)
    if standardize_dtype(y_true.dtype).startswith(("bool", "uint")):
        # These types have no -1; PyTorch takes 255 for it.
        y_true = ops.cast(y_true, "int32")
    positive, negative = ops.equal(y_true, 1), ops.equal(y_true, 0)
    exists = ops.logical_or(ops.logical_or(positive, negative), ops.equal(y_true, -1))
    num_positive = ops.sum(ops.cast(positive, scores.dtype), axis=-1)
    # One sum that counts and checks.
    counted = ops.where(exists, ops.cast(negative, scores.dtype), float("nan"))
    num_negative = ops.sum(counted, axis=-1)
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
    lawful = ops.logical_and(ops.equal(ops.cast(ids, y_true.dtype), y_true), ids >= -1)
    lawful = ops.all(ops.logical_and(lawful, ids < num_tags), axis=-1)
    if is_concrete(lawful) and not bool(ops.all(lawful)):
        values = ops.convert_to_numpy(y_true)
        wrong = values[(values != values.round()) | (values < -1) | (values >= num_tags)][0]
        raise ValueError(
            f"ids must be tags from 0 to {num_tags - 1}, or -1 for padding, got {wrong}"
        )
    ids = ops.where(ops.logical_and(ids >= 0, ids < num_tags), ids, -1)
    # A repeated id becomes padding.
    same = ops.equal(ids[:, :, None], ids[:, None, :])
    place = ops.arange(ops.shape(ids)[1])
    earlier = ops.any(ops.logical_and(same, place[None, :] < place[:, None]), axis=-1)
    tags = ops.where(earlier, -1, ids)
    # Padding repeats the image's largest tag, so that every entry written is right.
    largest = ops.max(ids, axis=-1, keepdims=True, initial=-1)
    filled = ops.maximum(ops.where(ids >= 0, ids, largest), 0)
    marks = ops.cast(ops.broadcast_to(largest >= 0, ops.shape(ids)), "int32")
    nothing = ops.zeros(ops.shape(scores), "int32")
    positive = ops.cast(write_columns(nothing, filled, marks), "bool")
    num_positive = ops.sum(ops.cast(tags >= 0, scores.dtype), axis=-1)
    num_negative = ops.where(lawful, num_tags - num_positive, float("nan"))
    return Labels(positive, ops.logical_not(positive), num_positive, num_negative, tags)


def write_columns(array, columns, values):
    """A copy of array (batch, n) with values (batch, m) at the columns (batch, m) of each row."""
    rows = ops.broadcast_to(ops.arange(ops.shape(columns)[0])[:, None], ops.shape(columns))
    places = ops.stack([ops.reshape(rows, (-1,)), ops.reshape(columns, (-1,))], axis=-1)
    return ops.scatter_update(array, places, ops.reshape(values, (-1,)))


def read_columns(array, columns):
    """The entries of array (batch, n) at the columns (batch, m) of each row.

    As `ops.take_along_axis`, which on TensorFlow copies the whole array first.
    """
    num_rows, num_columns = ops.shape(array)
    starts = num_columns * ops.arange(num_rows, dtype=columns.dtype)
    places = ops.reshape(columns + starts[:, None], (-1,))
    # Flat, for Keras on JAX loses the shape of the places where there are no rows.
    return ops.reshape(ops.take(ops.reshape(array, (-1,)), places, axis=0), ops.shape(columns))


def _check_shapes(labels_shape: tuple, scores_shape: tuple, labels: str) -> None:
    def differ(a, b):
        # A size that is None in the graph is known only when the graph runs.
        return a is not None and b is not None and a != b

    fits = len(labels_shape) == len(scores_shape) == 2
    fits = fits and not differ(labels_shape[0], scores_shape[0])
    if labels == "multi_hot":
        if not fits or differ(labels_shape[1], scores_shape[1]):
            raise ValueError(
                "y_true and y_pred must both be (batch, num_tags), got shapes "
                f"{labels_shape} and {scores_shape}; for padded tag ids pass labels='ids'"
            )
    elif not fits:
        raise ValueError(
            "y_true must be (batch, K) padded tag ids and y_pred (batch, num_tags), "
            f"got shapes {labels_shape} and {scores_shape}"
        )
    if scores_shape[1] is None:
        raise ValueError(
            f"the number of tags must be known, got y_pred of shape {scores_shape}; "
            "give the model's last layer its number of units"
        )
