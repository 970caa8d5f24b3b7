"""The paper's nine visual features of photographs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
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
    choose,
    describe_image,
    extraction_key,
    feature_widths,
    num_chosen_images,
    num_chunks,
    parallel_map,
    resized_chunks,
)
from warptag.baselines.features.histograms import spatial_pyramid
from warptag.baselines.features.keypoints import MIN_SIDE
from warptag.baselines.validation import check_choice, check_count
from warptag.content_cache import ContentCache, content_key

# Bounds on the memory needed, independent of the size of the training set.
_MAX_CODEBOOK_CHUNKS = 16
_MAX_EMBEDDING_CHUNKS = 160


class VisualFeatures(TransformerMixin, BaseEstimator):
    """GIST, six bags of SIFT words, a bag of 2x2 HOG words and a colour histogram, as one vector.

    The features of Gong et al. 2013, section 5.1: GIST (960 numbers); bags of {dense, Harris} x
    {SIFT, CSIFT, RGBSIFT} words and of 2x2 HOG words, each with a codebook learnt by k-means and
    a two-level spatial pyramid, the whole image and its quarters (5,000 numbers with 1,000
    words); and a joint RGB histogram (512). Each is embedded by `KernelEmbedding`; the nine
    embeddings of 500 columns are concatenated.

    Codebooks are learnt from at most 2,048 training images, embeddings from at most 20,480, chosen
    at random in chunks of 128. Images are read chunk by chunk and described on all cores; no more
    than one chunk is in memory. With `cache_dir`, the histograms of each chunk are kept under a
    hash of its pixels, the settings and the versions of the extraction and its libraries: an
    interrupted call resumes, and histograms of other images or settings are never used.

    An image of any size or of one colour gives a finite vector.

    Args:
        codebook_size: maximum number of words per bag; there are no more than different patches in
            the training images.
        num_components: maximum number of columns per feature; there are no more than training
            images minus one, or histogram bins.
        image_size: side in pixels, at least 32, of the square that images are resized to.
        histogram_kernel: kernel of the bags and the colour histogram, see `KernelEmbedding`.
        gist_kernel: kernel of GIST.
        cache_dir: folder for the histograms, about 13 kB per image; None keeps nothing.
        seed: seed of the choice of training images and patches, of k-means, PCA and the random
            Fourier features.

    Attributes:
        blocks_: list of int, the number of columns of each feature: the argument `blocks` of
            `JECAnnotator`, `TagPropAnnotator` and `TwoPassKNNAnnotator`.
        codebooks_: name of each bag -> float32 (num_words, length of a descriptor).
        embeddings_: name of each feature -> its `KernelEmbedding`, in the order of the blocks.

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
            ValueError: there are fewer than 2 images, an image is not such an array, or an
                argument of the constructor is out of range.
            OSError: `cache_dir` cannot be written.
        """
        self._fit(images)
        return self

    def fit_transform(self, images: Images, y=None) -> np.ndarray:
        """The same as `fit(images).transform(images)`, without describing images twice.

        Above 20,480 images, only `cache_dir` avoids that.
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
        check_is_fitted(self)
        chunks = np.arange(num_chunks(images))
        return self._embed(self._histograms(images, chunks, "computing features"), len(images))

    def _fit(self, images: Images) -> sparse.csr_matrix:
        """Fit, and return the histograms that the embeddings were fitted on."""
        check_count("codebook_size", self.codebook_size)
        check_count("num_components", self.num_components)
        check_count("image_size", self.image_size, MIN_SIDE)
        check_choice("histogram_kernel", self.histogram_kernel, KERNELS)
        check_choice("gist_kernel", self.gist_kernel, KERNELS)
        if len(images) < 2:
            raise ValueError(f"fit needs at least 2 training images, got {len(images)}")

        random = np.random.default_rng(self.seed)
        self.codebooks_ = self._learn_codebooks(
            images, choose(num_chunks(images), _MAX_CODEBOOK_CHUNKS, random)
        )
        chosen = choose(num_chunks(images), _MAX_EMBEDDING_CHUNKS, random)
        chunks = list(self._histograms(images, chosen, "fitting features"))
        histograms = sparse.vstack(chunks, format="csr")
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
        """The features before their embedding, chunk by chunk.

        Yields float32 sparse matrices (num_images, num_columns): GIST, the word counts of the four
        quarters for each bag, and the colour histogram.
        """
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

    def _embed(self, histograms: Iterable[sparse.csr_matrix], num_images: int) -> np.ndarray:
        features = np.empty((num_images, sum(self.blocks_)), np.float32)
        first = 0
        for part in histograms:
            last, start = first + part.shape[0], 0
            for name, columns in self._columns(part):
                embedding = self.embeddings_[name]
                end = start + embedding.num_components_
                features[first:last, start:end] = embedding.transform(columns)
                start = end
            first = last
        return features

    def _columns(self, histograms: sparse.csr_matrix) -> Iterator[tuple[str, np.ndarray]]:
        """The name and the dense columns of each feature, one feature at a time."""
        by_column = histograms.tocsc()
        start = 0
        for name, width in feature_widths(self.codebooks_).items():
            columns = by_column[:, start : start + width].toarray()
            yield name, spatial_pyramid(columns) if name in BAGS else columns
            start += width
