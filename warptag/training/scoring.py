"""Scores of images by a trained network."""

from __future__ import annotations

import weakref

import keras
import numpy as np
import tensorflow as tf

from warptag.data import Records, input_errors

BATCH_SIZE = 128
#: One traced function a model, so that scoring after each epoch traces nothing again.
_forward_passes: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def predict(model: keras.Model, records: Records, patches: str = "center") -> np.ndarray:
    """Scores of every image, the mean over its patches.

    Args:
        model: a network whose input is the crop.
        records: images.
        patches: crops an image, "center" or "five".

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
    crop_size = model.input_shape[1]
    images = records.evaluation(crop_size=crop_size, batch_size=BATCH_SIZE, patches=patches)
    return score(model, images)


def score(model: keras.Model, images: tf.data.Dataset) -> np.ndarray:
    """As `predict`, of batches of `Records.evaluation`, which take time to set up."""
    forward = _forward_pass(model)
    scores = []
    with input_errors():
        for batch in images:
            batch_size, num_patches, *shape = batch.shape
            output = forward(tf.reshape(batch, (batch_size * num_patches, *shape))).numpy()
            scores.append(output.reshape(batch_size, num_patches, -1).mean(axis=1))
    return np.concatenate(scores)


def _forward_pass(model: keras.Model):
    if model not in _forward_passes:
        # The function must not keep its key alive.
        reference = weakref.ref(model)
        signature = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8)

        @tf.function(input_signature=[signature])
        def forward(images):
            network = reference()
            assert network is not None
            return network(images, training=False)

        _forward_passes[model] = forward
    return _forward_passes[model]
