"""The scores of a trained network."""

from __future__ import annotations

import keras
import numpy as np

from warptag.data import Records, input_errors

BATCH_SIZE = 128


def predict(model: keras.Model, records: Records, patches: str = "center") -> np.ndarray:
    """Scores every image, as the mean over its patches.

    Args:
        model: the network. The size of its input is the crop size.
        records: the images.
        patches: the crops of an image, "center" or "five".

    Returns:
        float32 (num_images, num_tags), in the order of `records.labels`.

    Raises:
        InputError: a record is damaged.

    Example:
        >>> from warptag.data import Records
        >>> from warptag.models import AlexNet
        >>> records = Records("records", "test")
        >>> model = AlexNet(3, input_shape=(56, 56, 3), width=0.0625, dense_units=16)
        >>> predict(model, records).shape
        (2, 3)
    """
    crops = records.evaluation(
        crop_size=model.input_shape[1], batch_size=BATCH_SIZE, patches=patches
    )
    with input_errors():
        scores = model.predict(crops, verbose=0)
    return scores.reshape(len(records), -1, scores.shape[-1]).mean(axis=1)
