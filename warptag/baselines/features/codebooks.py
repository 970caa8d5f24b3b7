"""Codebooks of visual words, learnt from a sample of the training images' descriptors."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from warptag.baselines.features.descriptors import BAGS, describe_patches
from warptag.baselines.features.extraction import (
    Images,
    choose,
    num_chosen_images,
    parallel_map,
    resized_chunks,
)

_DESCRIPTORS_PER_WORD = 100


def learn_codebooks(
    images: Images, chosen: np.ndarray, image_size: int, codebook_size: int, seed: int
) -> dict[str, np.ndarray]:
    """A codebook for each bag, from about 100 descriptors per word.

    Args:
        images: uint8 arrays (height, width, 3), RGB.
        chosen: int array, the numbers of the chunks of images to sample.
        image_size, codebook_size, seed: as of `VisualFeatures`.
    """
    num_images = num_chosen_images(images, chosen)
    limit = -(-_DESCRIPTORS_PER_WORD * codebook_size // num_images)

    def some_descriptors(numbered: tuple[int, np.ndarray]) -> list[np.ndarray]:
        number, image = numbered
        random = np.random.default_rng((seed, number))
        every = (patches.descriptors for patches in describe_patches(image).values())
        return [each[choose(len(each), limit, random)] for each in every]

    sample: list[list[np.ndarray]] = [[] for _ in BAGS]
    done = 0
    with parallel_map("sampling patches", num_images) as (run, progress):
        for chunk in resized_chunks(images, image_size, chosen):
            for described in run(some_descriptors, enumerate(chunk, start=done)):
                for parts, descriptors in zip(sample, described, strict=True):
                    parts.append(descriptors)
            done += len(chunk)
            progress.update(len(chunk))
    return {
        name: learn_codebook(np.concatenate(parts), codebook_size, seed)
        for name, parts in zip(BAGS, sample, strict=True)
    }


def learn_codebook(descriptors: np.ndarray, size: int, seed: int) -> np.ndarray:
    """At most `size` visual words, float32 (num_words, length): the centres of k-means clusters.

    Without a descriptor, as of the corners of images of one colour, there is one word of zeros.
    """
    if len(descriptors) == 0:
        return np.zeros((1, descriptors.shape[1]), np.float32)
    # Equal descriptors, mostly of flat patches, would become several words.
    different = np.unique(descriptors, axis=0)
    # With batches of this size k-means++ takes eight times as long and ends no closer.
    clusters = MiniBatchKMeans(
        min(size, len(different)), init="random", batch_size=10_000, n_init=1, random_state=seed
    )
    return clusters.fit(different).cluster_centers_
