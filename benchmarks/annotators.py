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
from collections.abc import Callable
from functools import partial

import click
import numpy as np

from benchmarks.measuring import peak_megabytes, seconds_of
from warptag.baselines import KNNAnnotator, SVMAnnotator

QUERY_ROWS, TRAIN_ROWS, SVM_ROWS = 1024, 8192, 4096


def blocks(X: np.ndarray, num_rows: int) -> list[np.ndarray]:
    """Views of consecutive rows."""
    return [X[first : first + num_rows] for first in range(0, len(X), num_rows)]


def make_features(num_images: int, num_features: int, random: np.random.Generator) -> np.ndarray:
    X = np.empty((num_images, num_features), np.float32)
    spread = np.arange(1, num_features + 1, dtype=np.float32) ** -0.5
    for rows in blocks(X, SVM_ROWS):
        random.standard_normal(dtype=np.float32, out=rows)
        rows += 1
        rows *= spread
    return X


def make_labels(X: np.ndarray, num_tags: int, random: np.random.Generator) -> np.ndarray:
    scores = X @ random.standard_normal((X.shape[1], num_tags), np.float32)
    scores += random.standard_normal(scores.shape, np.float32) * scores.std(axis=0)
    shares = np.geomspace(0.3, 0.001, num_tags)
    limits = [np.quantile(tag, 1 - share) for tag, share in zip(scores.T, shares, strict=True)]
    return (scores > limits).astype(np.int8)


def products_of_neighbors(queries: np.ndarray, X: np.ndarray) -> None:
    for some in blocks(queries, QUERY_ROWS):
        for rows in blocks(X, TRAIN_ROWS):
            some @ rows.T


def products_of_iteration(X: np.ndarray, num_tags: int) -> None:
    directions = np.ones((num_tags, X.shape[1]), np.float32)
    residuals = np.ones((num_tags, SVM_ROWS), np.float32)
    for rows in blocks(X, SVM_ROWS):
        directions @ rows.T
        residuals[:, : len(rows)] @ rows


def beside_products(work: Callable[[], object], products: Callable[[], object]) -> str:
    """The seconds of both, and their ratio."""
    before, ours, after = map(seconds_of, (products, work, products))
    return (
        f"{ours:.1f} s, products alone {before:.2f} and {after:.2f} s, ratio "
        f"{2 * ours / (before + after):.2f}"
    )


@click.command()
@click.argument("method", type=click.Choice(["knn", "svm"]))
@click.option(
    "--train",
    "num_train",
    type=click.IntRange(1, 1_000_000),
    default=150_000,
    show_default=True,
    help="Training images.",
)
@click.option(
    "--features", "num_features", type=click.IntRange(1, 1_000_000), default=4500, show_default=True
)
@click.option(
    "--tags", "num_tags", type=click.IntRange(1, 1_000_000), default=81, show_default=True
)
@click.option(
    "--queries",
    "num_queries",
    type=click.IntRange(1, 1_000_000),
    default=4096,
    show_default=True,
    help="Images scored.",
)
def main(method: str, num_train: int, num_features: int, num_tags: int, num_queries: int) -> None:
    """Seconds, their ratio to those of the products alone, and peak memory."""
    random = np.random.default_rng(0)
    X = make_features(num_train, num_features, random)
    Y = make_labels(X, num_tags, random)
    if method == "knn":
        queries = make_features(num_queries, num_features, random)
        annotator = KNNAnnotator().fit(X, Y)
        scoring = partial(annotator.decision_function, queries)
        result = beside_products(scoring, partial(products_of_neighbors, queries, X))
        result = f"{num_queries:,} images scored in {result}"
    else:
        svm = SVMAnnotator()
        result = beside_products(
            partial(svm.fit, X, Y), partial(products_of_iteration, X, num_tags)
        )
        iterations = svm.n_iter_
        result = (
            f"fitted in {result}, where the products are those of one iteration over all tags; "
            f"{iterations.min()} to {iterations.max()} iterations (mean {iterations.mean():.1f}), "
            f"{svm.converged_.sum()} tags converged"
        )
    click.echo(
        f"{method}, {os.cpu_count()} cores, {num_train:,} x {num_features:,}, {num_tags} tags: "
        f"{result}; features {X.nbytes / 1e9:.1f} GB, peak memory {peak_megabytes() / 1000:.1f} GB"
    )


if __name__ == "__main__":
    main()
