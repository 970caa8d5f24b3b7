"""The tables of the measured runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.photograph_losses.cases import METRICS, PARAMETERS, REFERENCE
from warptag.pipeline.search import listed
from warptag.reporting.claims import t_interval


def at_ends(best: dict[str, Any], found: list[dict[str, Any]]) -> list[str]:
    """The parameters whose best value is the lowest or highest of those tried.

    Weight decay is left out: that nothing decays is the lower end, and often best.
    """
    names = [name for name in best if name != "weight_decay"]
    tried = {name: sorted({one[name] for one in found}) for name in names}
    return [name for name in names if best[name] in (tried[name][0], tried[name][-1])]


def table_of(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per method: the chosen settings, and the mean of each metric over the seeds with the
    sample standard deviation."""
    rows = []
    for method, of_method in runs.groupby("method", sort=False):
        searched = of_method[of_method["split"] == "validation"]
        tested = of_method[of_method["split"] == "test"]
        names = [name for name in PARAMETERS if tested[name].notna().all()]
        chosen = tested.iloc[0][names].to_dict()
        ends = at_ends(chosen, searched[names].to_dict("records"))
        rows.append(
            {
                "method": method,
                "settings": listed(chosen),
                "tried": len(searched),
                "at an end": " and ".join(ends) or "no",
                "runs": len(tested),
                **{METRICS[name]: _mean_and_deviation(tested[name]) for name in METRICS},
            }
        )
    return pd.DataFrame(rows)


def minus_reference(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per other method: the mean difference from WARP over paired seeds in each metric,
    with its 95% t-interval. A method without seeds has one value, which is compared with all."""
    tested = runs[runs["split"] == "test"]
    reference = tested[tested["method"] == REFERENCE]
    rows = []
    for method, of_method in tested.groupby("method", sort=False):
        if method == REFERENCE:
            continue
        row = {"method": method}
        for name, heading in METRICS.items():
            difference = np.array(of_method[name]) - np.array(reference[name])
            interval = t_interval(difference.mean(), difference.std(ddof=1), len(difference))
            row[heading] = f"{difference.mean():+.1f}"
            if interval is not None:
                row[heading] += " ({:+.1f} to {:+.1f})".format(*interval)
        rows.append(row)
    return pd.DataFrame(rows)


def _mean_and_deviation(values: pd.Series) -> str:
    if len(values) == 1:
        return f"{values.iloc[0]:.1f}"
    return f"{values.mean():.1f} ± {values.std():.1f}"
