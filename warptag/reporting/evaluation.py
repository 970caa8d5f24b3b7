"""What a comparison measured: test labels and the scores of every method, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from warptag.methods import METHOD, METHODS, Method
from warptag.metrics.counts import annotation_report, top_k_counts

#: The five metrics of the paper's tables: name in `annotation_report` and in files -> label.
METRICS = {
    "per_class_recall": "per-class recall",
    "per_class_precision": "per-class precision",
    "overall_recall": "overall recall",
    "overall_precision": "overall precision",
    "n_plus": "N+",
}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The scores of several methods on one test set.

    Seed i of one network and seed i of another started from the same weights and saw the data in
    the same order, so they may be compared in pairs.

    Args:
        tag_names: the c tags.
        test_labels: int array (num_images, c): 1, 0, or -1 for unknown.
        train_counts: int array (c,), the number of training images of each tag.
        scores: id of a method in `warptag.methods` -> list of float arrays (num_images, c), one
            per seed, higher is better; a deterministic method has a list of one.
        ks: the numbers of tags per image, one table each. Charts use the first.
        num_train_images: the number of images that every method is fitted to; 0 if unknown.
        synthetic: whether the images are rendered rather than photographed.
        title: the name of the data set in headings.
        dataset: the id of the data set. The paper's numbers are shown beside the results only if
            it is "nuswide".

    Raises:
        ValueError: a shape does not fit, scores contain NaN, labels other than 1, 0 and -1, an
            unknown method, or a k that is not from 1 to c.

    Example:
        >>> evaluation = Evaluation(
        ...     tag_names=["sky", "map"],
        ...     test_labels=np.array([[1, 0], [0, 1]]),
        ...     train_counts=np.array([90, 10]),
        ...     scores={"warp": [np.array([[2.0, 1.0], [2.0, 1.0]])]},
        ...     ks=(1,),
        ... )
        >>> evaluation.metrics("warp", 1)[0]["overall_recall"]
        50.0
    """

    tag_names: list[str]
    test_labels: np.ndarray
    train_counts: np.ndarray
    scores: Mapping[str, Sequence[np.ndarray]]
    ks: Sequence[int] = (3, 5)
    num_train_images: int = 0
    synthetic: bool = False
    title: str = ""
    dataset: str = ""
    _cache: dict = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        num_tags = len(self.tag_names)
        shape = np.shape(self.test_labels)
        if len(shape) != 2 or shape[0] == 0 or shape[1] != num_tags:
            raise ValueError(
                f"test_labels must be (num_images, {num_tags}), one column per tag, got {shape}"
            )
        if not np.isin(self.test_labels, (-1, 0, 1)).all():
            raise ValueError("test_labels must be 1, 0 or -1 (unknown)")
        if np.shape(self.train_counts) != (num_tags,):
            raise ValueError(
                f"train_counts must be ({num_tags},), one count per tag, "
                f"got {np.shape(self.train_counts)}"
            )
        if not self.ks:
            raise ValueError("ks is empty; give at least one number of tags per image")
        for k in self.ks:
            self._check_k(k)
        for method, arrays in self.scores.items():
            self._check_scores(method, arrays)

    def _check_k(self, k: int) -> None:
        if not 1 <= k <= len(self.tag_names):
            raise ValueError(
                f"k must be from 1 to the number of tags ({len(self.tag_names)}), got {k}"
            )

    def _check_scores(self, method: str, arrays: Sequence[np.ndarray]) -> None:
        if method not in METHOD:
            raise ValueError(f"unknown method {method!r}; expected one of {', '.join(METHOD)}")
        if len(arrays) == 0:
            raise ValueError(f"{method}: no scores; give a list with one array per seed")
        expected = np.shape(self.test_labels)
        for seed, array in enumerate(arrays):
            if np.shape(array) != expected:
                raise ValueError(
                    f"{method}, seed {seed}: scores must have the shape of the test labels "
                    f"{expected}, got {np.shape(array)}; give a list with one array per seed"
                )
            num_nan = int(np.isnan(array).sum())
            if num_nan:
                raise ValueError(
                    f"{method}, seed {seed}: {num_nan} of the {expected} scores are NaN; "
                    "tags cannot be ranked by the scores of a diverged run"
                )

    @property
    def methods(self) -> list[Method]:
        """The methods that have scores, in the order of the paper's tables."""
        return [method for method in METHODS if method.id in self.scores]

    @property
    def test_counts(self) -> np.ndarray:
        """int array (c,): the number of test images of each tag."""
        return (np.asarray(self.test_labels) == 1).sum(axis=0)

    @property
    def frequency_order(self) -> np.ndarray:
        """int array (c,): tag indices, most training images first, ties to the lower index."""
        return np.argsort(-np.asarray(self.train_counts), kind="stable")

    def metrics(self, method: str, k: int) -> list[dict[str, float]]:
        """The five metrics of `warptag.metrics.annotation_report`, one dict per seed."""
        self._check_k(k)
        key = ("metrics", method, k)
        if key not in self._cache:
            self._cache[key] = [
                annotation_report(self.test_labels, scores, k) for scores in self.scores[method]
            ]
        return self._cache[key]

    def per_tag(self, method: str, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Recall and precision of every tag in percent, two float arrays (num_seeds, c).

        NaN for a tag without a positive test image, so that `nanmean` over the tags is the
        per-class metric of the table. A tag that is never predicted has precision 0.
        """
        self._check_k(k)
        key = ("per_tag", method, k)
        if key not in self._cache:
            counts = [top_k_counts(self.test_labels, scores, k) for scores in self.scores[method]]
            correct, predicted, positive = np.array(counts).swapaxes(0, 1)
            self._cache[key] = tuple(
                np.where(positive > 0, 100.0 * correct / np.maximum(total, 1), np.nan)
                for total in (positive, predicted)
            )
        return self._cache[key]
