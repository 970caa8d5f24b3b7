"""What KNNAnnotator and SVMAnnotator cost at NUS-WIDE's size, beside the products they need.

    python -m benchmarks.annotators knn [--queries 4096]
    python -m benchmarks.annotators svm [--tags 81]

Both take --train 150000 and --features 4500, the size of the paper's training set with all its
features. The data are made up, float32: normal, with variances that fall as 1, 1/2, 1/3, ... over
the features and means as large as the spread. Tags come from random linear scores with as much
noise, and are positive for 30 percent of the images down to 0.1 percent.

Matrix products alone: the same operands and block sizes in NumPy, results dropped; taken before
and after ours in the same process, the mean of the two compared. Peak memory is that of the
process, data included.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable

import click
import numpy as np

from warptag.baselines import KNNAnnotator, SVMAnnotator
from warptag.baselines.neighbors import block_slices

QUERY_ROWS, TRAIN_ROWS, SVM_ROWS = 1024, 8192, 4096


def make_features(num_images: int, num_features: int, random: np.random.Generator) -> np.ndarray:
    X = np.empty((num_images, num_features), np.float32)
    spread = np.arange(1, num_features + 1, dtype=np.float32) ** -0.5
    for rows in block_slices(num_images, SVM_ROWS):
        X[rows] = random.standard_normal(X[rows].shape, np.float32)
        X[rows] += 1
        X[rows] *= spread
    return X


def make_labels(X: np.ndarray, num_tags: int, random: np.random.Generator) -> np.ndarray:
    scores = X @ random.standard_normal((X.shape[1], num_tags), np.float32)
    scores += random.standard_normal(scores.shape, np.float32) * scores.std(axis=0)
    shares = np.geomspace(0.3, 0.001, num_tags)
    limits = [
        np.quantile(column, 1 - share) for column, share in zip(scores.T, shares, strict=True)
    ]
    return (scores > limits).astype(np.int8)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def products_of_neighbors(queries: np.ndarray, X: np.ndarray) -> None:
    for some in block_slices(len(queries), QUERY_ROWS):
        for rows in block_slices(len(X), TRAIN_ROWS):
            queries[some] @ X[rows].T


def products_of_iteration(X: np.ndarray, num_tags: int) -> None:
    directions = np.ones((num_tags, X.shape[1]), np.float32)
    residuals = np.ones((num_tags, SVM_ROWS), np.float32)
    for rows in block_slices(len(X), SVM_ROWS):
        directions @ X[rows].T
        residuals[:, : rows.stop - rows.start] @ X[rows]


def measure_knn(X: np.ndarray, Y: np.ndarray, queries: np.ndarray) -> str:
    annotator = KNNAnnotator()
    fitting = timed(lambda: annotator.fit(X, Y))
    before = timed(lambda: products_of_neighbors(queries, X))
    ours = timed(lambda: annotator.decision_function(queries))
    after = timed(lambda: products_of_neighbors(queries, X))
    return (
        f"fit {fitting:.1f} s; {len(queries):,} images scored in {ours:.1f} s, products alone "
        f"{before:.1f} and {after:.1f} s, ratio {2 * ours / (before + after):.2f}"
    )


def measure_svm(X: np.ndarray, Y: np.ndarray) -> str:
    annotator = SVMAnnotator()
    before = timed(lambda: products_of_iteration(X, Y.shape[1]))
    ours = timed(lambda: annotator.fit(X, Y))
    after = timed(lambda: products_of_iteration(X, Y.shape[1]))
    iterations = annotator.n_iter_
    return (
        f"fit {ours:.0f} s, {iterations.min()} to {iterations.max()} iterations "
        f"(mean {iterations.mean():.1f}), {annotator.converged_.sum()} of {Y.shape[1]} tags "
        f"converged; the two products of an iteration over all tags {before:.2f} and "
        f"{after:.2f} s: fit takes as long as {2 * ours / (before + after):.0f} of them"
    )


@click.command()
@click.argument("method", type=click.Choice(["knn", "svm"]))
@click.option("--train", "num_train", default=150_000, show_default=True, help="Training images.")
@click.option("--features", "num_features", default=4500, show_default=True)
@click.option("--tags", "num_tags", default=81, show_default=True)
@click.option("--queries", "num_queries", default=4096, show_default=True, help="Images scored.")
def main(method: str, num_train: int, num_features: int, num_tags: int, num_queries: int) -> None:
    """Prints seconds, ratios and peak memory."""
    random = np.random.default_rng(0)
    X = make_features(num_train, num_features, random)
    Y = make_labels(X, num_tags, random)
    if method == "knn":
        result = measure_knn(X, Y, make_features(num_queries, num_features, random))
    else:
        result = measure_svm(X, Y)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{method}, {os.cpu_count()} cores, {num_train:,} x {num_features:,}, {num_tags} tags: "
        f"{result}; features {X.nbytes / 1e9:.1f} GB, peak memory {peak:.1f} GB"
    )


if __name__ == "__main__":
    main()
