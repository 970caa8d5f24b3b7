"""All files of a comparison: data, tables.md, charts and annotation sheet."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tfrecords_tools.files import write_bytes, write_json
from warptag.reporting.annotations import annotation_sheet
from warptag.reporting.charts import Chart, frequency_charts, image_bytes
from warptag.reporting.claims import claims_table
from warptag.reporting.evaluation import Evaluation
from warptag.reporting.gallery import gallery
from warptag.reporting.markdown import tables_markdown
from warptag.reporting.reliability import reliability_chart, reliability_table
from warptag.reporting.result_folder import Results
from warptag.reporting.tables import history_table, per_class_table, result_table
from warptag.reporting.training_curves import training_chart


def write_results(
    evaluation: Evaluation,
    output_dir: str | os.PathLike,
    histories: Mapping[str, Sequence[pd.DataFrame]] | None = None,
    images: Mapping[int, np.ndarray] | None = None,
    settings_lines: Sequence[str] = (),
    published: pd.DataFrame | None = None,
    probabilities: Mapping[str, np.ndarray] | None = None,
    label_errors: dict[str, Any] | None = None,
) -> list[Path]:
    """Write everything the data allows; the same data gives the same bytes.

    Args:
        evaluation: the measured scores.
        output_dir: the folder for the files, created if it does not exist.
        histories: id of a method -> one frame per seed with the columns `epoch`, `loss` and any
            of `val_loss`, `val_<metric>`, metrics as fractions of 1; for history.csv.
        images: row of the evaluation -> uint8 array (height, width, 3), for gallery.json; the
            first 12 are also on the annotation sheet.
        settings_lines: one line per choice or deviation, listed under "Settings".
        published: the frame of `published_table`, for published_k5.csv.
        probabilities: id of a method -> (num_images, num_tags) in [0, 1], for reliability.csv.
        label_errors: what `warptag.reporting.label_errors.label_errors` returns, for
            label_errors.json.

    Returns:
        The files written: table_k<k>.csv for every k, per_class.csv, claims.csv, summary.json,
        the optional ones above, claims_pretrained.csv if pretrained networks can be judged,
        tables.md, and as PNG the charts that these allow: recall_by_frequency and
        precision_by_frequency of the networks, the same with `features_` of the methods over
        visual features, training_curves, reliability and annotations.

    Raises:
        ValueError: a history without the columns it needs, or an image that does not fit.

    Example:
        >>> [path.name for path in write_results(evaluation, "results")][:3]
        ['table_k3.csv', 'table_k5.csv', 'per_class.csv']
    """
    folder = Path(output_dir)
    networks = any(method.kind == "network" for method in evaluation.methods)
    pretrained_claims = claims_table(evaluation, pretrained=True)
    results = Results(
        tables={k: result_table(evaluation, k) for k in sorted(evaluation.ks)},
        summary=_summary(evaluation, settings_lines),
        claims=claims_table(evaluation),
        pretrained_claims=None if pretrained_claims.empty else pretrained_claims,
        per_class=per_class_table(evaluation),
        history=history_table(histories) if histories and any(histories.values()) else None,
        reliability=reliability_table(probabilities, evaluation.test_labels)
        if probabilities
        else None,
        published=published,
        gallery=gallery(images, evaluation) if images and networks else None,
        label_errors=label_errors,
    )
    # Of an earlier comparison in the same folder.
    for name in ("claims_pretrained.csv", "label_errors.json"):
        (folder / name).unlink(missing_ok=True)
    written = [_write_csv(table, folder / f"table_k{k}.csv") for k, table in results.tables.items()]
    for name, table, digits in (
        ("per_class", results.per_class, "%.2f"),
        ("claims", results.claims, "%.2f"),
        ("claims_pretrained", results.pretrained_claims, "%.2f"),
        ("published_k5", results.published, "%.2f"),
        ("reliability", results.reliability, "%.4f"),
        # More digits than a curve shows, and fewer than a float32 has.
        ("history", results.history, "%.6g"),
    ):
        if table is not None:
            written.append(_write_csv(table, folder / f"{name}.csv", digits))
    written.append(write_json(folder / "summary.json", results.summary))
    written.append(write_bytes(folder / "tables.md", tables_markdown(results).encode()))
    for chart in itertools.chain(*charts(results).values()):
        written.append(write_bytes(folder / f"{chart.name}.png", image_bytes(chart.figure, "png")))
    if results.label_errors:
        written.append(write_json(folder / "label_errors.json", results.label_errors))
    if images and results.gallery:
        sheet = annotation_sheet(images, results.gallery, results.name)
        written.append(write_json(folder / "gallery.json", results.gallery))
        written.append(write_bytes(folder / "annotations.png", image_bytes(sheet, "png")))
    return written


def charts(results: Results) -> dict[str, list[Chart]]:
    """Section of the page -> the charts that the data of a folder of results allows."""
    found: dict[str, list[Chart]] = {"frequency": [], "training": [], "reliability": []}
    if results.per_class is not None:
        k, name = results.summary["k"], results.name
        found["frequency"] = frequency_charts(results.per_class, k, name)
    if results.history is not None and (chart := training_chart(results.history, results.name)):
        found["training"] = [chart]
    if results.reliability is not None:
        found["reliability"] = [reliability_chart(results.reliability, results.name)]
    return found


def _write_csv(table: pd.DataFrame, path: Path, digits: str = "%.2f") -> Path:
    text = table.to_csv(index=False, float_format=digits, lineterminator="\n")
    return write_bytes(path, text.encode())


def _summary(evaluation: Evaluation, settings_lines: Sequence[str]) -> dict[str, Any]:
    return {
        "title": evaluation.title,
        "dataset": evaluation.dataset,
        "synthetic": evaluation.synthetic,
        "k": evaluation.ks[0],
        "notes": _notes(evaluation),
        "settings": list(settings_lines),
    }


def _notes(evaluation: Evaluation) -> list[str]:
    """What the tables are of and by which rules, one sentence each."""
    num_images, num_tags = np.shape(evaluation.test_labels)
    num_occurring = int((evaluation.test_counts > 0).sum())
    num_unknown = int((np.asarray(evaluation.test_labels) == -1).sum())
    seeds = [f"{method.label} {len(evaluation.scores[method.id])}" for method in evaluation.methods]
    lines = [
        f"{num_images} test images, {num_tags} tags, {num_occurring} of them with a positive test "
        "image.",
        "Every image is given exactly k tags, the highest scored; ties go to the lower tag index.",
        "Per-class metrics and N+ are means over the tags with a positive test image; a tag that "
        "is never predicted has precision 0.",
    ]
    if num_unknown:
        lines.append(
            f"{num_unknown} labels are unknown; such a tag is not ranked for that image and not "
            "counted for it."
        )
    if seeds:
        lines.append(f"Seeds: {', '.join(seeds)}.")
    if "upper_bound" in evaluation.scores:
        lines.append(
            "Upper bound: the image's k true tags that are rarest in the test set, random others "
            "if it has fewer; the paper's row follows this rule. Upper bound (random): k of the "
            "true tags at random, as described in the paper's text."
        )
    return lines
