"""What a comparison measured: test labels and the scores of every method, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from warptag.metrics.counts import annotation_report, top_k_counts

CNN_METHODS = ("CNN + Softmax", "CNN + Ranking", "CNN + WARP")
BASELINES = ("Visual Feature + kNN", "Visual Feature + SVM")
#: Reference points of image annotation, over the same features.
REFERENCES = ("Visual Feature + JEC", "Visual Feature + TagProp", "Visual Feature + 2PKNN")
#: Every method, in the order of the paper's tables; those it does not have come last.
METHODS = (
    "Upper bound",
    *BASELINES,
    *CNN_METHODS,
    *REFERENCES,
    "Upper bound (random)",
    "Most frequent tags",
)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The scores of several methods on one test set.

    Seed i of one CNN and seed i of another started from the same weights and saw the data in the
    same order, so they may be compared in pairs.

    Args:
        tag_names: the c tags.
        test_labels: int array (num_images, c): 1, 0, or -1 for unknown.
        train_counts: int array (c,), the training images of each tag.
        scores: method name (see `METHODS`) -> list of float arrays (num_images, c), higher is
            better, one array a seed; a deterministic method has a list of one.
        ks: how many tags an image is given; one table each. Figures use the first.
        synthetic: whether the images are rendered rather than photographed.
        title: name of the data set, for headings. Numbers are held against the paper's only
            where it names NUS-WIDE.

    Raises:
        ValueError: a shape does not fit, scores hold NaN, labels other than 1, 0 and -1, an
            unknown method name, or a k that is not from 1 to c.

    Example:
        >>> evaluation = Evaluation(
        ...     tag_names=["sky", "map"],
        ...     test_labels=np.array([[1, 0], [0, 1]]),
        ...     train_counts=np.array([90, 10]),
        ...     scores={"CNN + WARP": [np.array([[2.0, 1.0], [2.0, 1.0]])]},
        ...     ks=(1,),
        ...     synthetic=False,
        ...     title="two photographs",
        ... )
        >>> evaluation.figures("CNN + WARP", 1)[0]["overall_recall"]
        50.0
    """

    tag_names: list[str]
    test_labels: np.ndarray
    train_counts: np.ndarray
    scores: dict[str, list[np.ndarray]]
    ks: tuple[int, ...] = (3, 5)
    synthetic: bool = False
    title: str = ""
    _cache: dict = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        num_tags = len(self.tag_names)
        shape = np.shape(self.test_labels)
        if len(shape) != 2 or shape[0] == 0 or shape[1] != num_tags:
            raise ValueError(
                f"test_labels must be (num_images, {num_tags}), one column a tag name, got {shape}"
            )
        if not np.isin(self.test_labels, (-1, 0, 1)).all():
            raise ValueError("test_labels must be 1, 0 or -1 (unknown)")
        if np.shape(self.train_counts) != (num_tags,):
            raise ValueError(
                f"train_counts must be ({num_tags},), one count a tag, "
                f"got {np.shape(self.train_counts)}"
            )
        if not self.ks:
            raise ValueError(
                "ks is empty; name at least one number of tags an image, such as (3, 5)"
            )
        for k in self.ks:
            self._check_k(k)
        for method, arrays in self.scores.items():
            self._check_scores(method, arrays)

    def _check_k(self, k: int) -> None:
        if not 1 <= k <= len(self.tag_names):
            raise ValueError(
                f"k must be from 1 to the number of tags ({len(self.tag_names)}), got {k}"
            )

    def _check_scores(self, method: str, arrays: list[np.ndarray]) -> None:
        if method not in METHODS:
            raise ValueError(f"unknown method {method!r}; expected one of {', '.join(METHODS)}")
        if len(arrays) == 0:
            raise ValueError(f"{method}: no scores; give a list with one array a seed")
        expected = np.shape(self.test_labels)
        for seed, array in enumerate(arrays):
            if np.shape(array) != expected:
                raise ValueError(
                    f"{method}, seed {seed}: scores must have the shape of the test labels "
                    f"{expected}, got {np.shape(array)}; give a list with one array a seed"
                )
            num_nan = int(np.isnan(array).sum())
            if num_nan:
                raise ValueError(
                    f"{method}, seed {seed}: {num_nan} of the {expected} scores are NaN; "
                    "a diverged run cannot be ranked"
                )

    @property
    def methods(self) -> list[str]:
        """The methods that have scores, in the order of the paper's tables."""
        return [method for method in METHODS if method in self.scores]

    @property
    def cnn_methods(self) -> list[str]:
        """The networks among `methods`."""
        return [method for method in self.methods if method in CNN_METHODS]

    @property
    def comparable(self) -> bool:
        """Whether the data is the paper's, NUS-WIDE."""
        return not self.synthetic and "nus-wide" in self.title.lower()

    @property
    def test_counts(self) -> np.ndarray:
        """int array (c,): the test images of each tag."""
        return (np.asarray(self.test_labels) == 1).sum(axis=0)

    @property
    def frequency_order(self) -> np.ndarray:
        """int array (c,): tag indices, most training images first, ties to the lower index."""
        return np.argsort(-np.asarray(self.train_counts), kind="stable")

    def figures(self, method: str, k: int) -> list[dict[str, float]]:
        """The five figures of `warptag.metrics.annotation_report`, one dict a seed."""
        self._check_k(k)
        key = ("figures", method, k)
        if key not in self._cache:
            self._cache[key] = [
                annotation_report(self.test_labels, scores, k) for scores in self.scores[method]
            ]
        return self._cache[key]

    def per_tag(self, method: str, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Recall and precision of every tag in percent, two float arrays (num_seeds, c).

        NaN for a tag without a positive test image, so that `nanmean` over the tags is the
        per-class figure of the table. A tag that is never predicted has precision 0.
        """
        self._check_k(k)
        key = ("per_tag", method, k)
        if key not in self._cache:
            recalls, precisions = [], []
            for scores in self.scores[method]:
                correct, predicted, positive = top_k_counts(self.test_labels, scores, k)
                occurring = positive > 0
                recalls.append(
                    np.where(occurring, 100.0 * correct / np.maximum(positive, 1), np.nan)
                )
                precisions.append(
                    np.where(occurring, 100.0 * correct / np.maximum(predicted, 1), np.nan)
                )
            self._cache[key] = np.array(recalls), np.array(precisions)
        return self._cache[key]
