"""From photographs to feature vectors: three histograms, each reduced by PCA."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Protocol

import cv2
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from warptag.baselines.features.histograms import colour_histogram, gradient_histogram, hellinger
from warptag.baselines.features.visual_words import dense_sift, learn_codebook, word_histograms

# Bounds on what is held in memory, whatever the size of the training set.
_DESCRIPTORS_PER_WORD = 100
_MAX_DESCRIPTORS = 100_000
_MAX_CODEBOOK_IMAGES = 2_000
_MAX_PCA_IMAGES = 20_000
_BATCH = 64


class Images(Protocol):
    """Images that can be counted and read again and again."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[np.ndarray]: ...


class VisualFeatures(TransformerMixin, BaseEstimator):
    """Colour histogram, HOG and a bag of dense SIFT words, each reduced by PCA and concatenated.

    A short form of the paper's nine features. Each histogram is divided by its sum and its square
    root taken (the Hellinger map), then reduced by a PCA fitted on the training images; PCA after
    that map is the paper's kernel PCA for the Hellinger kernel. The words have a two-level
    spatial pyramid: the whole image and its quarters. Codebook and PCA are learnt from at most
    2,000 and 20,000 training images, chosen at random. Images are read one batch at a time, on
    all cores.

    An image of any size or of one colour gives a finite vector.
    Source: Gong et al. 2013, section 5.1.

    Args:
        codebook_size: number of visual words; fewer when the training images have fewer different
            patches.
        num_components: PCA dimensions of each of the three features; fewer when there are fewer
            training images minus one, or fewer histogram bins.
        image_size: side in pixels, at least 32, of the square that images are resized to.
        seed: seed of the choice of training images and patches, of k-means and of PCA.

    Example:
        >>> images = np.random.default_rng(0).integers(0, 256, (8, 40, 60, 3), np.uint8)
        >>> VisualFeatures(codebook_size=10, num_components=4).fit_transform(images).shape
        (8, 12)
    """

    def __init__(
        self,
        codebook_size: int = 1000,
        num_components: int = 500,
        image_size: int = 128,
        seed: int = 0,
    ):
        self.codebook_size = codebook_size
        self.num_components = num_components
        self.image_size = image_size
        self.seed = seed

    def fit(self, images: Images, y=None) -> VisualFeatures:
        """Learn the codebook and the three PCAs from training images.

        Args:
            images: collection, read twice, of uint8 arrays (height, width, 3), RGB.
            y: ignored.

        Raises:
            ValueError: fewer than 2 images, one that is not such an array, or an argument of the
                constructor out of range.
        """
        self._fit_blocks(images)
        return self

    def fit_transform(self, images: Images, y=None) -> np.ndarray:
        """The same as `fit(images).transform(images)`, reading the images once less.

        Takes, returns and raises what the two do.
        """
        blocks = self._fit_blocks(images)
        return self._reduce(blocks) if len(blocks[0]) == len(images) else self.transform(images)

    def transform(self, images: Images) -> np.ndarray:
        """Compute the features of images.

        Args:
            images: collection of uint8 arrays (height, width, 3), RGB.

        Returns:
            float32 array (num_images, num_features), finite.

        Raises:
            ValueError: an image is not such an array.
        """
        check_is_fitted(self)
        rows = [np.zeros((0, sum(pca.n_components_ for pca in self.pcas_)), np.float32)]
        for blocks in self._histograms(images, np.arange(len(images)), "computing features"):
            rows.append(self._reduce(blocks))
        return np.concatenate(rows)

    def _reduce(self, blocks: list[np.ndarray]) -> np.ndarray:
        reduced = [pca.transform(block) for pca, block in zip(self.pcas_, blocks, strict=True)]
        return np.concatenate(reduced, axis=1)

    def _fit_blocks(self, images) -> list[np.ndarray]:
        """Fit, and return the three features of the training images that PCA was fitted on."""
        for name, smallest in (("codebook_size", 1), ("num_components", 1), ("image_size", 32)):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or value < smallest:
                raise ValueError(f"{name} must be an integer of at least {smallest}, got {value!r}")
        if len(images) < 2:
            raise ValueError(f"fit needs at least 2 training images, got {len(images)}")

        random = np.random.default_rng(self.seed)
        self.codebook_ = learn_codebook(
            self._sample_descriptors(images, random), self.codebook_size, self.seed
        )
        chosen = _choose(len(images), _MAX_PCA_IMAGES, random)
        batches = self._histograms(images, chosen, "fitting features")
        blocks = [np.concatenate(block) for block in zip(*batches, strict=True)]
        self.pcas_ = [self._fit_pca(block) for block in blocks]
        return blocks

    def _sample_descriptors(self, images, random: np.random.Generator) -> np.ndarray:
        chosen = _choose(len(images), _MAX_CODEBOOK_IMAGES, random)
        wanted = min(_DESCRIPTORS_PER_WORD * self.codebook_size, _MAX_DESCRIPTORS)
        limit = -(-wanted // len(chosen))
        sample = []
        for batch in self._batches(images, chosen, "sampling patches", dense_sift):
            for descriptors in batch:
                sample.append(descriptors[_choose(len(descriptors), limit, random)])
        return np.concatenate(sample)

    def _histograms(self, images, chosen: np.ndarray, task: str) -> Iterator[list[np.ndarray]]:
        """Yield, batch by batch, the three features as arrays (batch, num_bins)."""

        def describe(image):
            return colour_histogram(image), gradient_histogram(image), dense_sift(image)

        for batch in self._batches(images, chosen, task, describe):
            colours, gradients, descriptors = map(np.stack, zip(*batch, strict=True))
            words = word_histograms(descriptors, self.codebook_)
            yield [hellinger(block) for block in (colours, gradients, words)]

    def _batches(self, images, chosen: np.ndarray, task: str, describe: Callable) -> Iterator[list]:
        """Yield lists of `describe(resized image)` for the images with the chosen indices."""
        wanted = set(chosen.tolist())
        selected = ((i, image) for i, image in enumerate(images) if i in wanted)

        def resize_and_describe(numbered):
            return describe(self._resize(*numbered))

        # OpenCV, scikit-image and NumPy release the interpreter's lock, so threads are enough.
        with (
            ThreadPoolExecutor(os.cpu_count()) as pool,
            tqdm(total=len(chosen), desc=task, unit="image", disable=None) as progress,
        ):
            while batch := list(islice(selected, _BATCH)):
                yield list(pool.map(resize_and_describe, batch))
                progress.update(len(batch))

    def _resize(self, number: int, image) -> np.ndarray:
        image = np.asarray(image)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise ValueError(
                f"image {number} must be a uint8 array (height, width, 3), "
                f"got {image.dtype} of shape {image.shape}"
            )
        size = self.image_size
        shrinks = min(image.shape[:2]) >= size
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(image, (size, size), interpolation=method)

    def _fit_pca(self, histograms: np.ndarray) -> PCA:
        num_images, num_bins = histograms.shape
        num_components = min(self.num_components, num_images - 1, num_bins)
        # A feature that is the same for all images has no variance to explain: 0 / 0.
        with np.errstate(invalid="ignore"):
            return PCA(num_components, random_state=self.seed).fit(histograms)


def _choose(number: int, limit: int, random: np.random.Generator) -> np.ndarray:
    """At most `limit` of the indices 0 to number - 1, at random, in order."""
    if number <= limit:
        return np.arange(number)
    return np.sort(random.choice(number, limit, replace=False))
