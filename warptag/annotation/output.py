"""What is written of each photograph: a table, CSV, JSON lines, or a text file beside it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from tfrecords_tools.messages import printable
from warptag.annotation.tagger import Annotation


class Tag(NamedTuple):
    """One tag of one photograph; the probability is None where the run has no calibration."""

    name: str
    probability: float | None
    score: float


def choose_tags(
    annotation: Annotation, tag_names: list[str], topk: int | None, threshold: float | None
) -> list[Tag]:
    """The tags of one photograph, best first; of equal ones the lower index.

    Args:
        annotation: of a file that could be read.
        tag_names: in the order of the scores.
        topk: at most so many; None for all.
        threshold: the least probability, in [0, 1]; None for any.

    Example:
        >>> scores, likely = np.array([1.0, 3.0]), np.array([0.2, 0.9])
        >>> choose_tags(Annotation("sea.jpg", scores, likely), ["cat", "sea"], 1, None)
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


class Format(Protocol):
    """How photographs become text.

    Attributes:
        heading: written once before the first.
    """

    heading: str

    def text(self, path: Path, tags: list[Tag]) -> str:
        """The lines of one photograph, each with its end."""


class Table:
    """For people: a line a tag below the photograph's name."""

    heading = ""

    def text(self, path: Path, tags: list[Tag]) -> str:
        lines = [printable(str(path))]
        for tag in tags:
            likely = "-" if tag.probability is None else f"{100 * tag.probability:.1f} %"
            lines.append(f"{likely:>9}  {tag.score:8.3f}  {printable(tag.name)}")
        return "\n".join(lines if tags else [*lines, "  no tag"]) + "\n"


class Csv:
    """For programs: a row a tag; a photograph without tags has no row."""

    heading = "filename,rank,tag,probability,score\n"

    def text(self, path: Path, tags: list[Tag]) -> str:
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        for rank, tag in enumerate(tags, start=1):
            likely = "" if tag.probability is None else f"{tag.probability:.4f}"
            writer.writerow([path, rank, tag.name, likely, f"{tag.score:.4f}"])
        return lines.getvalue()


class JsonLines:
    """For programs: a JSON object a line, a photograph each."""

    heading = ""

    def text(self, path: Path, tags: list[Tag]) -> str:
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
        # A name that is not UTF-8 becomes an escape, which JSON has.
        line = json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")
        return line.decode() + "\n"


class TextFile:
    """For taggers and `convert folder`: the tags, separated by commas."""

    heading = ""

    def text(self, path: Path, tags: list[Tag]) -> str:
        return ", ".join(tag.name for tag in tags) + "\n"


def make_format(name: str) -> Format:
    """The format of a name: table, csv, json or txt."""
    formats: dict[str, Format] = {
        "table": Table(),
        "csv": Csv(),
        "json": JsonLines(),
        "txt": TextFile(),
    }
    return formats[name]
