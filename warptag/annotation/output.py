"""What is written for each photograph: a table, CSV, JSON lines, or a text file beside it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfrecords_tools.messages import printable
from warptag.annotation.tagger import Annotation


class Tag(NamedTuple):
    """One tag of one photograph; the probability is None if the run has no calibration."""

    name: str
    probability: float | None
    score: float

    @property
    def percent(self) -> str:
        """The probability for people."""
        return "-" if self.probability is None else f"{100 * self.probability:.1f} %"


def choose_tags(
    annotation: Annotation, tag_names: list[str], topk: int | None, threshold: float | None
) -> list[Tag]:
    """The tags of one photograph, best first; of equal scores the lower index.

    Args:
        annotation: the annotation of a file that could be read.
        tag_names: the names of the tags in the order of the scores.
        topk: maximum number of tags; None for all.
        threshold: minimum probability, in [0, 1]; None for any.

    Example:
        >>> scores, probabilities = np.array([1.0, 3.0]), np.array([0.2, 0.9])
        >>> choose_tags(Annotation("sea.jpg", scores, probabilities), ["cat", "sea"], 1, None)
        [Tag(name='sea', probability=0.9, score=3.0)]
    """
    scores, probabilities = annotation.scores, annotation.probabilities
    assert scores is not None
    tags = []
    for index in np.argsort(-scores, kind="stable")[:topk]:
        probability = None if probabilities is None else float(probabilities[index])
        if threshold is None or (probability is not None and probability >= threshold):
            tags.append(Tag(tag_names[index], probability, float(scores[index])))
    return tags


class Format(NamedTuple):
    """How photographs become text.

    Attributes:
        text: a function of a photograph's path and tags that returns whole lines.
        heading: text that is written once, before the first photograph.
    """

    text: Callable[[Path, list[Tag]], str]
    heading: str = ""


def _table(path: Path, tags: list[Tag]) -> str:
    lines = [f"{tag.percent:>9}  {tag.score:8.3f}  {printable(tag.name)}" for tag in tags]
    return "\n".join([printable(str(path)), *(lines or ["  no tag"])]) + "\n"


def _csv(path: Path, tags: list[Tag]) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    for rank, tag in enumerate(tags, start=1):
        probability = "" if tag.probability is None else f"{tag.probability:.4f}"
        writer.writerow([path, rank, tag.name, probability, f"{tag.score:.4f}"])
    return lines.getvalue()


def _json_line(path: Path, tags: list[Tag]) -> str:
    content = {
        "filename": str(path),
        "tags": [
            {
                "tag": tag.name,
                "probability": None if tag.probability is None else round(tag.probability, 4),
                "score": round(tag.score, 4),
            }
            for tag in tags
        ],
    }
    # A file name that is not UTF-8 becomes an escape of JSON.
    line = json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return line.decode() + "\n"


def _tags_alone(path: Path, tags: list[Tag]) -> str:
    return ", ".join(tag.name for tag in tags) + "\n"


FORMATS = {
    # For people: one line per tag, below the name of the photograph.
    "table": Format(_table),
    # One row per tag; a photograph without tags has no row.
    "csv": Format(_csv, heading="filename,rank,tag,probability,score\n"),
    # One JSON object per photograph and line.
    "json": Format(_json_line),
    # For programs that train on captions, and for `convert folder`.
    "txt": Format(_tags_alone),
}
