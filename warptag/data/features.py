"""The features of the images of a split, computed once by a network and kept on disk."""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import remove_partial, write_whole
from tfrecords_tools.lock import exclusive
from tfrecords_tools.schema import DatasetInfo
from warptag.content_cache import content_key
from warptag.data.reading import input_errors
from warptag.data.records import Records

logger = logging.getLogger(__name__)

#: The images per step of the network. Always the same number, since it may change the last bit of
#: the features.
BATCH_SIZE = 32
#: The images per file of the cache; a killed process loses at most so many.
IMAGES_PER_FILE = 256


class FeatureRecords:
    """The features of the images of one split, for training and evaluating a head over them.

    They are computed when they are first needed. A file of the cache contains the features of some
    images, each under a hash of its pixels, so that later calls compute only those of new images.

    Args:
        records: the images.
        network: a model from crops, uint8 (batch, size, size, 3), to features, float32
            (batch, num_features).
        cache_dir: the folder of the cache, made if needed.

    Example:
        >>> from warptag.models import FeatureNetwork
        >>> network = FeatureNetwork("MobileNetV3Small", input_shape=(64, 64, 3))
        >>> records = FeatureRecords(Records("records", "train"), network, "features")
        >>> records.features.shape  # three images, each with its mirror image
        (3, 2, 576)
    """

    def __init__(self, records: Records, network: keras.Model, cache_dir: str | os.PathLike):
        self.records, self.network, self.cache_dir = records, network, Path(cache_dir)

    @property
    def directory(self) -> str | os.PathLike[str]:
        """The folder of the records."""
        return self.records.directory

    @property
    def split(self) -> str:
        """The name of the split."""
        return self.records.split

    @property
    def info(self) -> DatasetInfo:
        """The description of the whole data set."""
        return self.records.info

    @property
    def labels(self) -> np.ndarray:
        """As in `Records`."""
        return self.records.labels

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def features(self) -> np.ndarray:
        """float32 (num_images, 2, num_features): of each image and of its mirror image, in the
        order of `labels`.

        Raises:
            InputError: a record is damaged, or the features are not finite.
            InUse: another process computes features in the folder of the cache.
            OSError: the cache cannot be written.
        """
        with exclusive(self.cache_dir):
            return self._computed_or_kept()

    def _computed_or_kept(self) -> np.ndarray:
        found = np.empty((len(self), 2, self.network.output_shape[-1]), np.float32)
        cache = _Cache(self.cache_dir / _key(self.network), found.shape[1:])
        images = self.records.evaluation(
            crop_size=self.network.input_shape[1], batch_size=BATCH_SIZE
        )
        logger.info("features of %s images (%s)", f"{len(self):,}", self.split)
        waiting: dict[str, np.ndarray] = {}
        rows: list[str] = []
        with (
            input_errors(),
            cache,
            tqdm(
                total=len(self), desc=f"features, {self.split}", unit="image", disable=None
            ) as bar,
        ):
            for batch, _ in images:
                for image in batch.numpy():
                    key = hashlib.blake2b(image, digest_size=16).hexdigest()
                    rows.append(key)
                    if key not in cache:
                        waiting[key] = image
                if len(waiting) >= BATCH_SIZE:
                    full = dict(itertools.islice(waiting.items(), BATCH_SIZE))
                    cache.add(full, self._compute(list(full.values())))
                    for key in full:
                        del waiting[key]
                bar.update(len(batch))
            if waiting:
                cache.add(waiting, self._compute(list(waiting.values())))
            cache.save()
            cache.read(rows, found)
        logger.info(
            "    %s computed, the others found in %s", f"{cache.num_added:,}", self.cache_dir
        )
        return found

    def training(
        self, *, batch_size: int, seed: int, first_epoch: int = 0, flip: bool = False, **_: object
    ) -> tf.data.Dataset:
        """An endless dataset of batches of features and labels, each epoch in another order.

        Args:
            batch_size, seed, first_epoch: as in `Records.training`.
            flip: whether to take half of the features from the mirror images.

        Returns:
            A dataset of features, float32 (batch, num_features), and labels, float32
            (batch, num_tags).

        Raises:
            InputError: as in `features`, or there are fewer images than one batch.
        """
        self.records.check_batch(batch_size)
        features, labels = self.features, self.labels.astype(np.float32)

        def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for epoch in itertools.count(first_epoch):
                random = np.random.default_rng([seed, epoch])
                order = random.permutation(len(self))
                mirrored = random.integers(0, 2, len(self)) if flip else np.zeros(len(self), int)
                for start in range(0, len(self) - batch_size + 1, batch_size):
                    rows = order[start : start + batch_size]
                    yield features[rows, mirrored[rows]], labels[rows]

        signature = tuple(
            tf.TensorSpec((batch_size, array.shape[-1]), tf.float32) for array in (features, labels)
        )
        return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2)

    def evaluation(self, *, batch_size: int, **_: object) -> tf.data.Dataset:
        """A dataset of batches of the features of the images as they are, and of labels."""
        arrays = self.features[:, 0], self.labels.astype(np.float32)
        return tf.data.Dataset.from_tensor_slices(arrays).batch(batch_size)

    def scores(self, head: keras.Model) -> np.ndarray:
        """The scores of every image, as the mean over the image and its mirror image.

        Args:
            head: a model from features to scores.

        Returns:
            float32 (num_images, num_tags), in the order of `labels`.
        """
        # Not `predict`, which would compile a function for each head.
        scores = [
            keras.ops.convert_to_numpy(head(rows.reshape(-1, rows.shape[-1]), training=False))
            for rows in np.array_split(self.features, -(-len(self) // IMAGES_PER_FILE))
        ]
        return np.concatenate(scores).reshape(len(self), 2, -1).mean(axis=1)

    def _compute(self, images: list[np.ndarray]) -> np.ndarray:
        """float32 (len(images), 2, num_features)."""
        batch = np.stack(images + images[:1] * (BATCH_SIZE - len(images)))
        mirrored = np.ascontiguousarray(batch[:, :, ::-1])
        features = np.stack(
            [self.network.predict_on_batch(one) for one in (batch, mirrored)], axis=1
        )
        if not np.isfinite(features).all():
            raise InputError(
                "the features of the pretrained network are not finite; its weights cannot be used"
            )
        return features[: len(images)]


class _Cache:
    """Features by the hash of the image, in a folder of files that are only ever added to."""

    def __init__(self, folder: Path, shape: tuple[int, ...]):
        self.folder = folder
        self.dtype = np.dtype([("key", "S32"), ("features", np.float32, shape)])
        self.num_added = 0
        #: Hash -> its file and its row there.
        self._places: dict[str, tuple[Path, int]] = {}
        self._unsaved: dict[str, np.ndarray] = {}
        remove_partial(folder)
        for path in sorted(folder.glob("*.npy")):
            self._find(path)

    def __contains__(self, key: str) -> bool:
        return key in self._places or key in self._unsaved

    def add(self, keys: Iterable[str], features: np.ndarray) -> None:
        self._unsaved |= zip(keys, features, strict=True)
        self.num_added += len(features)
        if len(self._unsaved) >= IMAGES_PER_FILE:
            self.save()

    def save(self) -> None:
        if not self._unsaved:
            return
        content = np.array(
            [(key.encode(), features) for key, features in self._unsaved.items()], self.dtype
        )
        path = self.folder / f"{content_key([content['key']])}.npy"
        try:
            with write_whole(path) as temporary:
                np.save(temporary, content)
        except OSError as error:
            raise OSError(
                f"{path} cannot be written ({error.strerror}); make room there, or choose another "
                "folder"
            ) from error
        self._places |= {key: (path, row) for row, key in enumerate(self._unsaved)}
        self._unsaved = {}

    def read(self, keys: Sequence[str], found: np.ndarray) -> None:
        """Writes the saved features of the keys into the rows of an array, one file at a time."""
        by_file: dict[Path, list[tuple[int, int]]] = defaultdict(list)
        for row, key in enumerate(keys):
            path, place = self._places[key]
            by_file[path].append((row, place))
        for path, pairs in by_file.items():
            rows, places = np.array(pairs).T
            found[rows] = np.load(path, mmap_mode="r")["features"][places]

    def _find(self, path: Path) -> None:
        try:
            content = np.load(path, mmap_mode="r")
            if content.dtype == self.dtype and content.ndim == 1:
                keys = content["key"].tolist()
                self._places |= {key.decode(): (path, row) for row, key in enumerate(keys)}
        except (EOFError, ValueError):
            path.unlink()  # damaged: its features are computed again

    def __enter__(self) -> _Cache:
        return self

    def __exit__(self, *_: object) -> None:
        # Also after an interrupt, so that nothing is lost.
        self.save()


def _key(network: keras.Model) -> str:
    """A hash of what the features depend on besides the images."""
    # Not the names of the layers, which Keras numbers within a process.
    layers = [type(layer).__name__ for layer in network.layers]
    computed_by = keras.backend.backend(), keras.__version__
    return content_key(*computed_by, str(network.input_shape), *layers, network.get_weights())
