"""Validation images: the source's own, or else a share of the training images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfrecords_tools.by_name import choose_by_name
from tfrecords_tools.errors import InputError
from tfrecords_tools.loading import Source, item_name

DEFAULT_SHARE = 0.1
SALT = "validation "

Splits = dict[str, Sequence[Any]]


def with_validation(source: Source, share: float | None = None) -> tuple[Splits, float | None]:
    """The splits of a source, with validation images.

    If the source has none, they are taken from `train`, each by a hash of its name. A source
    without `train` is left as it is.

    Args:
        source: the images and tags; it is not changed.
        share: the share of `train` to take, between 0 and 1; None for the source's attribute
            `validation_share`, or 0.1 if it has no such attribute.

    Returns:
        The images of each split, and the share that was taken, or None.

    Raises:
        InputError: a share is given, but the source has validation images of its own; or `train`
            has only one image.

    Example:
        >>> from tfrecords_tools.sources.corel5k import Corel5K
        >>> splits, share = with_validation(Corel5K("corel5k"))
        >>> [image.filename for image in splits["validation"]], share
        (['train/1004.jpeg'], 0.1)
    """
    if share is not None and not 0 < share < 1:
        raise ValueError(f"validation_share must be between 0 and 1, received {share}")
    splits: Splits = dict(source.splits)
    if "validation" in splits and share is not None:
        raise InputError(
            f"the source has {len(splits['validation']):,} validation images of its own, so no "
            "share of the training images can be taken for validation"
        )
    images = splits.get("train")
    if "validation" in splits or not images:
        return splits, None
    if len(images) == 1:
        raise InputError(
            f"the only training image is {item_name(images[0])!r:.80}; expected at least two, "
            "since one becomes the validation image"
        )
    if share is None:
        share = getattr(source, "validation_share", DEFAULT_SHARE)
    chosen = choose_by_name([item_name(image) for image in images], share, SALT)
    del splits["train"]
    train = [image for image, taken in zip(images, chosen, strict=True) if not taken]
    validation = [image for image, taken in zip(images, chosen, strict=True) if taken]
    return {"train": train, "validation": validation, **splits}, share
