"""The metrics of a trained run on any records of the same tags."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tfrecords_tools.errors import InputError
from warptag.data import Records
from warptag.metrics import annotation_report
from warptag.training import load_run, predict


def evaluate(
    run: Path, records: Path, split: str, ks: Sequence[int], patches: str | None = None
) -> pd.DataFrame:
    """The paper's five metrics of a run on a split.

    Args:
        run: the folder of the run.
        records: a folder of records with the same tags.
        split: the name of the split, such as "test".
        ks: the numbers of tags per image.
        patches: the crops per image, "center" or "five"; None for those of the run's experiment.

    Returns:
        One row per k: k, then the metrics in percent.

    Raises:
        InputError: the run or the records cannot be used, or their tags differ.
    """
    model, settings = load_run(run, needs=() if patches else ("patches",))
    data = Records(records, split)
    check_tags(settings["tag_names"], data.info.tag_names, run, records)
    too_many = [k for k in ks if k > len(data.info.tag_names)]
    if too_many:
        raise InputError(
            f"{too_many[0]} tags per image were asked for, but {records} has only "
            f"{len(data.info.tag_names)} tags"
        )
    scores = predict(model, data, patches or settings["patches"])
    return pd.DataFrame({"k": k, **annotation_report(data.labels, scores, k)} for k in ks)


def check_tags(expected: list[str], found: list[str], run: Path, records: object) -> None:
    """Raises InputError unless the tags found are the expected ones, in their order."""
    if expected == found:
        return
    if sorted(expected) == sorted(found):
        difference = "the same tags in another order"
    else:
        missing = [tag for tag in expected if tag not in found]
        more = [tag for tag in found if tag not in expected]
        difference = "; ".join(
            f"{what} {', '.join(tags[:5])}{' ...' if len(tags) > 5 else ''}"
            for what, tags in (("missing:", missing), ("unknown to the run:", more))
            if tags
        )
    raise InputError(
        f"{records} has {len(found)} tags, but {run} was trained with {len(expected)} "
        f"({difference}); convert the photographs with the run's list of tags"
    )
