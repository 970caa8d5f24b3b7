"""label_errors.json: the photographs whose labels a network contradicts most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from warptag.methods import Method
from warptag.reporting.evaluation import Evaluation
from warptag.reporting.gallery import given_tags, jpeg, true_tags

#: The number of photographs in each of the two lists.
NUM_PHOTOGRAPHS = 12


def label_errors(
    evaluation: Evaluation,
    probabilities: Mapping[str, np.ndarray],
    names: Sequence[str],
    read_images: Callable[[Sequence[int]], Iterable[np.ndarray]],
) -> dict[str, Any]:
    """The photographs whose labels are most likely wrong, by the first run of the best network.

    The best network has the highest mean overall recall. A photograph is listed with one tag, the
    one that the network contradicts most; unknown labels are left out.

    Args:
        evaluation: the measured scores, with at least one network.
        probabilities: id of a method -> (num_images, num_tags) in [0, 1], of its first run. The
            scores are used for a network without.
        names: the file name of each image, "" if it has none.
        read_images: returns the images of rows in rising order, uint8 (height, width, 3).

    Returns:
        `method`, the label of the network; whether its values are `calibrated`; and two lists,
        most likely errors first: `missing`, where a tag without a label has the highest value, and
        `wrong`, where a labelled tag has the lowest. Each entry has `row`, `name`, `jpeg` (base64),
        `tag`, `value`, and the `true` and `given` tags as in gallery.json.

    Example:
        >>> images = np.zeros((len(evaluation.test_labels), 40, 60, 3), np.uint8)
        >>> names = [f"{row}.jpg" for row in range(len(images))]
        >>> found = label_errors(evaluation, {}, names, lambda rows: images[list(rows)])
        >>> len(found["missing"]), len(found["wrong"])
        (12, 12)
    """
    method = _best_network(evaluation)
    values = np.asarray(probabilities.get(method.id, evaluation.scores[method.id][0]))
    labels = np.asarray(evaluation.test_labels)
    scores = np.asarray(evaluation.scores[method.id][0])
    chosen = {
        "missing": _highest(values, scores, labels == 0),
        "wrong": _highest(-values, -scores, labels == 1),
    }
    rows = sorted({row for pairs in chosen.values() for row, _ in pairs})
    images = dict(zip(rows, map(jpeg, read_images(rows)), strict=True)) if rows else {}

    def entry(row: int, tag: int) -> dict[str, Any]:
        return {
            "row": row,
            "name": names[row],
            "jpeg": images[row],
            "tag": evaluation.tag_names[tag],
            "value": round(float(values[row, tag]), 4),
            "true": true_tags(evaluation, row),
            "given": given_tags(evaluation, method.id, row),
        }

    lists = {name: [entry(row, tag) for row, tag in pairs] for name, pairs in chosen.items()}
    return {"method": method.label, "calibrated": method.id in probabilities, **lists}


def _best_network(evaluation: Evaluation) -> Method:
    """The network with the highest mean overall recall; of equal ones the first."""

    def recall(method: Method) -> float:
        seeds = evaluation.metrics(method.id, evaluation.ks[0])
        return float(np.mean([seed["overall_recall"] for seed in seeds]))

    return max((method for method in evaluation.methods if method.kind == "network"), key=recall)


def _highest(values: np.ndarray, scores: np.ndarray, among: np.ndarray) -> list[tuple[int, int]]:
    """The rows with the highest values, and the tag of each row's value; highest first.

    Of equal values, as of probabilities near 0 or 1, the one with the highest score comes first.
    """
    values, scores = (
        np.where(among & np.isfinite(values), some, -np.inf) for some in (values, scores)
    )
    every_row = np.arange(len(values))
    # The last of a stable order by falling index is the first of the highest.
    tags = values.shape[1] - 1 - np.lexsort((scores[:, ::-1], values[:, ::-1]), axis=1)[:, -1]
    highest, score = values[every_row, tags], scores[every_row, tags]
    rows = np.lexsort((every_row, -score, -highest))[:NUM_PHOTOGRAPHS]
    return [(int(row), int(tags[row])) for row in rows if highest[row] > -np.inf]
