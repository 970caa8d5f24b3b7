"""The tables as a reader sees them: frames of text, for Markdown and the page alike."""

from __future__ import annotations

import pandas as pd

from warptag.methods import METHODS
from warptag.reporting.charts import seeds_text
from warptag.reporting.evaluation import METRICS
from warptag.reporting.paper import PAPER_TRAIN_IMAGES, paper_metrics
from warptag.reporting.training_curves import heading, spread

SYNTHETIC = "Synthetic data: rendered scenes, not photographs."
OTHER_DATA = (
    "The paper's numbers are on NUS-WIDE and cannot be compared with those of this data set."
)
PRETRAINED = (
    "Pretrained: a network that was trained on other photographs (ImageNet) before; it is not the "
    "paper's network."
)
CLAIMS = "The paper's claims on this data"
PRETRAINED_CLAIMS = "The paper's claims, for the pretrained network (not the paper's)"
IN_PERCENT = "In percent; mean ± standard deviation if there are several seeds."
PUBLISHED = (
    "k = 5 words per photograph, among the words with both a training and a test photograph; "
    "precision and recall in percent, means over these words; N+ in words. This run's rows are "
    "fitted on all training photographs, validation images included, as the published ones are. "
    "Published numbers are other authors', on their copies of the photographs and their features."
)
#: Outcomes of comparisons and verdicts on claims -> as they are shown.
OUTCOMES = {"holds": "✓ holds", "reversed": "✗ reversed", "undecided": "? undecided"}
VERDICTS = {
    "confirmed": "✓ confirmed",
    "refuted": "✗ refuted",
    "undecided": "? not decided by these seeds",
}


def verdict_text(verdict: str, train_images: int) -> str:
    """A verdict, with the number of training images if it depends on them."""
    text = VERDICTS.get(verdict, verdict)
    if train_images:
        text += f" ({train_images:,} training images; the paper: {PAPER_TRAIN_IMAGES:,})"
    return text


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign, a true minus; what rounds to zero has none.

    Example:
        >>> signed(-1.5), signed(0.25, 1), signed(-0.001)
        ('−1.50', '+0.2', '0.00')
    """
    text = f"{value:+.{digits}f}".replace("-", "−")
    return text if any(digit in text for digit in "123456789") else text[1:]


def interval_text(low: float, high: float) -> str:
    """Both ends of an interval with their signs."""
    return f"{signed(low)} to {signed(high)}"


def result_rows(table: pd.DataFrame) -> pd.DataFrame:
    """A table of results, one column per metric."""
    rows = {"method": table["method"]}
    for name, label in METRICS.items():
        pairs = zip(table[name], table[f"{name}_std"], strict=True)
        rows[label] = [
            f"{mean:.2f}" if pd.isna(deviation) else f"{mean:.2f} ± {deviation:.2f}"
            for mean, deviation in pairs
        ]
    return pd.DataFrame(rows)


def has_pretrained(table: pd.DataFrame) -> bool:
    """Whether a table has a row of a pretrained network."""
    labels = [method.label for method in METHODS if method.pretrained]
    return bool(table["method"].isin(labels).any())


def paper_rows(k: int) -> pd.DataFrame:
    """The paper's table at one k; without rows if it has none."""
    rows = [
        (method.label, *(f"{value:.2f}" for value in metrics.values()))
        for method in METHODS
        if (metrics := paper_metrics(method.id, k))
    ]
    return pd.DataFrame(rows, columns=["method", *METRICS.values()])


def published_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Published results beside this run's."""
    return pd.DataFrame(
        {
            "method": table["method"],
            "whose numbers": table["source"],
            "precision": table["precision"].map("{:.1f}".format),
            "recall": table["recall"].map("{:.1f}".format),
            "N+ (words)": table["n_plus"].map("{:.0f}".format),
        }
    )


def comparison_rows(claim: pd.DataFrame) -> pd.DataFrame:
    """The comparisons of one claim at one k, with the paper's differences if it has any."""
    intervals = [
        f"none ({seeds_text({row.seeds})})"
        if pd.isna(row.low)
        else interval_text(row.low, row.high)
        for row in claim.itertuples()
    ]
    rows = {
        "difference, percentage points": claim["comparison"].tolist(),
        "mean": [signed(mean) for mean in claim["mean"]],
        "95% interval": intervals,
        "outcome": [OUTCOMES.get(outcome, outcome) for outcome in claim["outcome"]],
    }
    if claim["paper"].notna().any():
        rows["the paper's"] = ["" if pd.isna(value) else signed(value) for value in claim["paper"]]
    return pd.DataFrame(rows)


def per_class_rows(table: pd.DataFrame, max_tags: int) -> pd.DataFrame:
    """Recall and precision of the most frequent tags, means over seeds."""
    first = table.head(max_tags)
    rows = {
        "tag": first["tag"],
        "training images": first["train_count"].map("{:,}".format),
        "test images": first["test_count"].map("{:,}".format),
    }
    for method in METHODS:
        for metric in ("recall", "precision"):
            name = f"{method.label} {metric}"
            if name in first:
                rows[name] = first[name].map("{:.1f}".format).where(first[name].notna(), "–")
    return pd.DataFrame(rows)


def history_rows(table: pd.DataFrame, max_epochs: int) -> pd.DataFrame:
    """Means over the seeds of each method, one row per epoch."""
    names = ["loss", *(name for name in table if name.startswith("val_"))]
    means = table.groupby(["method", "epoch"], sort=False)[names].mean().reset_index()
    kept = [
        place
        for places in means.groupby("method", sort=False).indices.values()
        for place in spread(list(places), max_epochs)
    ]
    means = means.iloc[kept]
    rows = {"method": means["method"], "epoch": means["epoch"].astype(str)}
    for name in names:
        form = "{:.3f}" if name in ("loss", "val_loss") else "{:.1%}"
        rows["loss" if name == "loss" else heading(name)] = means[name].map(form.format)
    return pd.DataFrame(rows)


def identity_line(k: int, table: pd.DataFrame) -> str:
    """A check of a table that needs no labels: all rows must agree."""
    table = table[table["overall_recall"] > 0]
    values = table["overall_precision"] * k / table["overall_recall"]
    found = f"{values.median():.2f}" if len(values) else "undefined"
    # More than the rounding of the table: some images have fewer than k known tags.
    if len(values) and values.max() > 1.02 * values.min():
        found = f"{values.min():.2f} to {values.max():.2f}"
    return (
        f"Check: overall precision × {k} / overall recall is the mean number of tags per test "
        f"image, whatever the method. In this run: {found}."
    )
