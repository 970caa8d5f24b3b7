"""The paper's nine visual features of photographs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from warptag.baselines.features.codebooks import learn_codebooks
from warptag.baselines.features.descriptors import BAGS
from warptag.baselines.features.embedding import KERNELS, KernelEmbedding
from warptag.baselines.features.extraction import (
    Images,
    describe_image,
    extraction_key,
    feature_widths,
    num_chosen_images,
    num_chunks,
    parallel_map,
    resized_chunks,
)
from warptag.baselines.features.keypoints import SMALLEST_SIDE
from warptag.baselines.features.visual_words import spatial_pyramid
from warptag.content_cache import ContentCache, content_key

# Bounds on what is held in memory, whatever the size of the training set.
_MAX_CODEBOOK_CHUNKS = 16
_MAX_EMBEDDING_CHUNKS = 160


class VisualFeatures(TransformerMixin, BaseEstimator):
    """GIST, six bags of SIFT words, a bag of 2x2 HOG words and a colour histogram, as one vector.

    The features of Gong et al. 2013, section 5.1: GIST (960 numbers); bags of {dense, Harris} x
    {SIFT, CSIFT, RGBSIFT} words and of 2x2 HOG words, each with a codebook learnt by k-means and
    a two-level spatial pyramid, the whole image and its quarters (5,000 numbers with 1,000
    words); and a joint RGB histogram (512). Each is embedded by `KernelEmbedding`, so nine blocks
    of 500 columns stand side by side.

    Codebooks are learnt from at most 2,048 training images, embeddings from at most 20,480, chosen
    at random by chunks of 128. Images are read a chunk at a time and described on all cores; no
    more than a chunk of them is held in memory. With `cache_dir` each chunk's histograms are
    kept under a hash of its pixels, the settings, the code and the libraries' versions: an
    interrupted call goes on where it was, and nothing made from other images or settings is taken.

    An image of any size or of one colour gives a finite vector.

    Args:
        codebook_size: words of each bag; fewer when the training images have fewer different
            patches.
        num_components: columns of each feature; fewer when there are fewer training images minus
            one, or fewer histogram bins.
        image_size: side in pixels, at least 32, of the square that images are resized to.
        histogram_kernel: kernel of the bags and the colour histogram, see `KernelEmbedding`.
        gist_kernel: kernel of GIST.
        cache_dir: folder for the histograms, about 13 kB an image; None keeps nothing.
        seed: seed of the choice of training images and patches, of k-means, PCA and the random
            Fourier features.

    Attributes:
        feature_names_: the nine names, in the order of the blocks.
        blocks_: list of int, columns of each block: what `JECAnnotator`, `TagPropAnnotator` and
            `TwoPassKNNAnnotator` take as `blocks`.
        codebooks_: name of each bag -> float32 (num_words, length of a descriptor).
        embeddings_: name of each feature -> its `KernelEmbedding`.

    Example:
        >>> images = np.random.default_rng(0).integers(0, 256, (8, 40, 60, 3), np.uint8)
        >>> visual = VisualFeatures(codebook_size=10, num_components=4, image_size=64)
        >>> visual.fit_transform(images).shape
        (8, 36)
    """

    def __init__(
        self,
        codebook_size: int = 1000,
        num_components: int = 500,
        image_size: int = 256,
        histogram_kernel: str = "hellinger",
        gist_kernel: str = "gaussian",
        cache_dir: str | os.PathLike | None = None,
        seed: int = 0,
    ):
        self.codebook_size = codebook_size
        self.num_components = num_components
        self.image_size = image_size
        self.histogram_kernel = histogram_kernel
        self.gist_kernel = gist_kernel
        self.cache_dir = cache_dir
        self.seed = seed

    def fit(self, images: Images, y=None) -> VisualFeatures:
        """Learn the codebooks and the embeddings from training images.

        Args:
            images: collection, read several times, of uint8 arrays (height, width, 3), RGB.
            y: ignored.

        Raises:
            ValueError: fewer than 2 images, one that is not such an array, or an argument of the
                constructor out of range.
            OSError: `cache_dir` cannot be written.
        """
        self._fit(images)
        return self

    def fit_transform(self, images: Images, y=None) -> np.ndarray:
        """The same as `fit(images).transform(images)`.

        Up to 20,480 images are described once; of more, with `cache_dir` none is described twice.

        Takes, returns and raises what the two do.
        """
        histograms = self._fit(images)
        if histograms.shape[0] == len(images):
            return self._embed([histograms], len(images))
        del histograms  # nearly a gigabyte
        return self.transform(images)

    def transform(self, images: Images) -> np.ndarray:
        """Compute the features of images.

        Args:
            images: collection of uint8 arrays (height, width, 3), RGB.

        Returns:
            float32 array (num_images, sum of `blocks_`), finite.

        Raises:
            ValueError: an image is not such an array.
            OSError: `cache_dir` cannot be written.
        """
        return self._embed(self.histograms(images), len(images))

    def histograms(self, images: Images) -> Iterator[sparse.csr_matrix]:
        """The features before their embedding, 128 images at a time.

        Args:
            images: as for `transform`.

        Yields:
            float32 sparse matrix (num_images, num_columns): GIST, the word counts of the four
            quarters for each bag, and the colour histogram.
        """
        check_is_fitted(self)
        return self._histograms(images, np.arange(num_chunks(images)), "computing features")

    def _fit(self, images: Images) -> sparse.csr_matrix:
        """Fit, and return the histograms that the embeddings were fitted on."""
        smallest_values = {"codebook_size": 1, "num_components": 1, "image_size": SMALLEST_SIDE}
        for name, smallest in smallest_values.items():
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or value < smallest:
                raise ValueError(f"{name} must be an integer of at least {smallest}, got {value!r}")
        for name in ("histogram_kernel", "gist_kernel"):
            if getattr(self, name) not in KERNELS:
                raise ValueError(
                    f"{name} must be one of {', '.join(KERNELS)}, got {getattr(self, name)!r}"
                )
        if len(images) < 2:
            raise ValueError(f"fit needs at least 2 training images, got {len(images)}")

        random = np.random.default_rng(self.seed)
        self.codebooks_ = self._learn_codebooks(
            images, _choose(num_chunks(images), _MAX_CODEBOOK_CHUNKS, random)
        )
        chosen = _choose(num_chunks(images), _MAX_EMBEDDING_CHUNKS, random)
        histograms = sparse.vstack(
            list(self._histograms(images, chosen, "fitting features")), format="csr"
        )
        self.feature_names_ = list(feature_widths(self.codebooks_))
        self.embeddings_ = {}
        for name, columns in self._columns(histograms):
            kernel = self.gist_kernel if name == "GIST" else self.histogram_kernel
            embedding = KernelEmbedding(kernel, self.num_components, self.seed)
            self.embeddings_[name] = embedding.fit(columns)
        self.blocks_ = [each.num_components_ for each in self.embeddings_.values()]
        return histograms

    def _learn_codebooks(self, images: Images, chosen: np.ndarray) -> dict[str, np.ndarray]:
        settings = (self.image_size, self.codebook_size, self.seed)

        def load(file: BinaryIO) -> dict[str, np.ndarray]:
            with np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[f"arr_{number}"] for number, name in enumerate(BAGS)}

        key = ""
        if self.cache_dir is not None:
            chunks = resized_chunks(images, self.image_size, chosen)
            pixels = [content_key(chunk) for chunk in chunks]
            key = content_key(*pixels, str(settings), extraction_key())
        return ContentCache(self.cache_dir).get(
            f"codebooks-{key}",
            lambda: learn_codebooks(images, chosen, *settings),
            lambda made, path: np.savez(path, *made.values()),
            load,
        )

    def _histograms(
        self, images: Images, chosen: np.ndarray, task: str
    ) -> Iterator[sparse.csr_matrix]:
        cache = ContentCache(self.cache_dir)
        settings = content_key(self.codebooks_.values(), extraction_key())
        with parallel_map(task, num_chosen_images(images, chosen)) as (run, progress):
            for chunk in resized_chunks(images, self.image_size, chosen):

                def make(chunk=chunk) -> sparse.csr_matrix:
                    rows = run(lambda image: describe_image(image, self.codebooks_), chunk)
                    return sparse.csr_matrix(np.stack(rows))

                key = content_key(chunk, settings) if self.cache_dir is not None else ""
                yield cache.get(
                    key, make, lambda made, path: sparse.save_npz(path, made), sparse.load_npz
                )
                progress.update(len(chunk))

    def _embed(self, histograms, num_images: int) -> np.ndarray:
        features = np.empty((num_images, sum(self.blocks_)), np.float32)
        ends = np.cumsum(self.blocks_)
        first = 0
        for part in histograms:
            rows = slice(first, first + part.shape[0])
            for (name, columns), end in zip(self._columns(part), ends, strict=True):
                embedding = self.embeddings_[name]
                start = end - embedding.num_components_
                features[rows, start:end] = embedding.transform(columns)
            first = rows.stop
        return features

    def _columns(self, histograms: sparse.csr_matrix) -> Iterator[tuple[str, np.ndarray]]:
        """Each feature's name and dense columns, one after the other."""
        by_column = histograms.tocsc()
        start = 0
        for name, width in feature_widths(self.codebooks_).items():
            columns = by_column[:, start : start + width].toarray()
            yield name, spatial_pyramid(columns) if name in BAGS else columns
            start += width


def _choose(number: int, limit: int, random: np.random.Generator) -> np.ndarray:
    """At most `limit` of the indices 0 to number - 1, at random, in order."""
    if number <= limit:
        return np.arange(number)
    return np.sort(random.choice(number, limit, replace=False))
