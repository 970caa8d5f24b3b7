"""tables.md: the tables beside the paper's, the rules they follow, and the claims judged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tfrecords_tools.files import write_bytes
from warptag.metrics.counts import FIGURES
from warptag.reporting.claims import RULE, Claim, judge_claims
from warptag.reporting.evaluation import Evaluation
from warptag.reporting.paper import PAPER, PAPER_TABLES, paper_figures
from warptag.reporting.tables import result_table

HEADINGS = (
    "per-class recall",
    "per-class precision",
    "overall recall",
    "overall precision",
    "N+",
)


def tables_markdown(
    evaluation: Evaluation,
    settings_lines: Sequence[str] = (),
    published: pd.DataFrame | None = None,
) -> str:
    """The text of tables.md.

    Args:
        evaluation: the measured scores.
        settings_lines: one line for each choice or deviation, listed under "Settings".
        published: as from `published_table`; None for data without published results.

    Returns:
        Markdown: one table a k with this run's figures and the paper's, notes, claims, settings.

    Example:
        >>> text = tables_markdown(evaluation, ["learning rate 0.02"])
        >>> "- learning rate 0.02" in text
        True
    """
    blocks = [f"# {evaluation.title or 'Results'}", *_warnings(evaluation)]
    for k in evaluation.ks:
        blocks += [f"## k = {k} tags an image", _figures_table(evaluation, k)]
        blocks += [_identity(evaluation, k)]
    if published is not None:
        blocks += ["## Beside published results", _published(published)]
    blocks += ["## Notes", _bullets(evaluation_notes(evaluation))]
    blocks += _claims(evaluation)
    if settings_lines:
        blocks += ["## Settings", _bullets(settings_lines)]
    return "\n\n".join(blocks) + "\n"


def write_markdown(
    evaluation: Evaluation,
    path: str | os.PathLike,
    settings_lines: Sequence[str] = (),
    published: pd.DataFrame | None = None,
) -> Path:
    """Write `tables_markdown` to a file.

    Example:
        >>> write_markdown(evaluation, "tables.md")
        PosixPath('tables.md')
    """
    return write_bytes(path, tables_markdown(evaluation, settings_lines, published).encode())


def _published(table: pd.DataFrame) -> str:
    rows = []
    for method, source, precision, recall, n_plus in table.itertuples(index=False):
        cells = [f"{precision:.1f}", f"{recall:.1f}", f"{n_plus}"]
        if source == "published":
            # In italics like the paper's numbers: nothing that this run measured.
            method, cells = (
                f"*{method}*",
                [f"*{number:g}*" for number in (precision, recall, n_plus)],
            )
        rows.append([method, *cells])
    return (
        "k = 5 words a photograph, of those with both a training and a test photograph; precision "
        "and recall in percent, means over these words; N+ in words. This run's rows are fitted on "
        "all training photographs here, validation images included, as published ones are. In "
        "italics: other authors' numbers, on their copies of the photographs and their "
        "features.\n\n" + _table(["method", "precision", "recall", "N+ (words)"], rows)
    )


def _warnings(evaluation: Evaluation) -> list[str]:
    if evaluation.synthetic:
        return [
            "> **Synthetic data: rendered scenes, not photographs; the paper's numbers are on "
            "NUS-WIDE and are shown for orientation only.**"
        ]
    if not evaluation.comparable:
        return [
            "> **This data set is not NUS-WIDE: the numbers of this run and of the paper are not "
            "comparable cell by cell; the paper's are shown for orientation only.**"
        ]
    return []


def _figures_table(evaluation: Evaluation, k: int) -> str:
    with_paper = k in PAPER_TABLES
    header = ["method", *(f"this run: {heading}" for heading in HEADINGS)]
    if with_paper:
        header += [f"*paper: {heading}*" for heading in HEADINGS]
    rows = []
    for _, measured in result_table(evaluation, k).iterrows():
        row = [measured["method"]]
        row += [_with_deviation(measured[name], measured[f"{name}_std"]) for name in FIGURES]
        if with_paper:
            paper = paper_figures(measured["method"], k)
            row += [f"*{paper[name]:.2f}*" if paper else "" for name in FIGURES]
        rows.append(row)
    caption = "In percent; mean ± standard deviation where there are several seeds."
    if with_paper:
        caption += f" Columns in italics: {PAPER}."
    return f"{caption}\n\n{_table(header, rows)}"


def _identity(evaluation: Evaluation, k: int) -> str:
    """With exactly k tags an image, overall precision x k / overall recall is a property of the
    test set alone, so it shows at a glance whether a table was computed rightly."""
    values = [
        seed["overall_precision"] * k / seed["overall_recall"]
        for method in evaluation.methods
        for seed in evaluation.figures(method, k)
        if seed["overall_recall"] > 0
    ]
    mean_tags = float(evaluation.test_counts.sum() / len(evaluation.test_labels))
    line = (
        f"Check: overall precision × {k} / overall recall = mean tags per test image "
        f"= {mean_tags:.3f}"
    )
    if values and np.allclose(values, mean_tags):
        line += " in every row of this run"
    elif values and not (np.asarray(evaluation.test_labels) == -1).any():
        raise ValueError(
            f"precision x {k} / recall is {min(values):.4f} to {max(values):.4f} but images have "
            f"{mean_tags:.4f} tags: the figures at k = {k} are wrong"
        )
    elif values:
        line += (
            f"; the rows of this run give {min(values):.3f} to {max(values):.3f}, "
            f"because some images have fewer than {k} tags with a known label"
        )
    paper = " (paper: 2.410)." if k in PAPER_TABLES else "."
    if k == 5:
        paper = " (paper: 2.410, but 2.397 in its row Upper bound, a slip in print)."
    return line + paper


def evaluation_notes(evaluation: Evaluation) -> list[str]:
    """What the tables are of and by which rules, a sentence each."""
    num_images, num_tags = np.shape(evaluation.test_labels)
    occurring = int((evaluation.test_counts > 0).sum())
    unknown = int((np.asarray(evaluation.test_labels) == -1).sum())
    seeds = pd.Series({method: len(evaluation.scores[method]) for method in evaluation.methods})
    lines = [
        f"{num_images} test images, {num_tags} tags, {occurring} of them with a positive test "
        "image.",
        "Every image is given exactly k tags, the highest scored; ties go to the lower tag index.",
        "Per-class figures and N+ are means over the tags with a positive test image; a tag that "
        "is never predicted has precision 0.",
    ]
    if unknown:
        lines.append(
            f"{unknown} labels are unknown; such a tag is not ranked for that image and enters no "
            "count of it."
        )
    if len(seeds):
        lines.append(
            "Seeds: " + ", ".join(f"{method} {count}" for method, count in seeds.items()) + "."
        )
    if "Upper bound" in evaluation.scores:
        lines.append(
            "Upper bound: the image's k true tags that are rarest in the test set, random others "
            "where it has fewer; this is the rule the paper's row follows. Upper bound (random): "
            "k of the true tags at random, as the paper's text has it."
        )
    return lines


def _claims(evaluation: Evaluation) -> list[str]:
    judged = [claim for k in evaluation.ks for claim in judge_claims(evaluation, k)]
    if not judged:
        return []
    blocks = [
        "## The paper's claims on this data",
        RULE,
        _table(
            ["claim", *(f"k = {k}" for k in evaluation.ks)],
            [
                [f"{number}. {statement}", *(_verdict(judged, number, k) for k in evaluation.ks)]
                for number, statement in {claim.number: claim.statement for claim in judged}.items()
            ],
        ),
    ]
    for claim in judged:
        blocks.append(f"### Claim {claim.number}, k = {claim.k}: {claim.verdict}")
        if claim.missing:
            blocks.append(f"Not measured in this run: {', '.join(claim.missing)}.")
        blocks.append(
            _table(
                ["difference, percentage points", "mean", "95% interval", "outcome", "*paper*"],
                [
                    [
                        comparison.description,
                        f"{comparison.mean:+.2f}",
                        _interval(comparison.interval, comparison.seeds),
                        comparison.outcome,
                        "" if comparison.paper is None else f"*{comparison.paper:+.2f}*",
                    ]
                    for comparison in claim.comparisons
                ],
            )
        )
    return blocks


def _verdict(judged: list[Claim], number: int, k: int) -> str:
    return "".join(
        f"**{claim.verdict}**" for claim in judged if (claim.number, claim.k) == (number, k)
    )


def _interval(interval: tuple[float, float] | None, seeds: int) -> str:
    if interval is None:
        return f"none ({seeds} seed{'s' if seeds > 1 else ''})"
    return f"{interval[0]:+.2f} to {interval[1]:+.2f}"


def _with_deviation(mean: float, deviation: float) -> str:
    return f"{mean:.2f}" if np.isnan(deviation) else f"{mean:.2f} ± {deviation:.2f}"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(header: list[str], rows: list[list[str]]) -> str:
    # Numbers are read down a column, so all but the first column are right-aligned.
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))
