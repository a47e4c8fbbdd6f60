"""Sentences on hygiene: recordings that each check would remove, and test trials without flags."""

import pandas as pd

from speechdt.corpus.sources import CATEGORIES


def sentences(counts: pd.DataFrame, metrics: pd.DataFrame) -> list[str]:
    """Return a sentence for each check, and one on the test trials if any recording is flagged.

    Parameters
    ----------
    counts : DataFrame
        ``tables/hygiene.csv``.
    metrics : DataFrame
        ``tables/metrics.csv``.
    """
    removed = [_removed(str(check), own) for check, own in counts.groupby("check", sort=False)]
    return removed + _left(metrics)


def _removed(check: str, counts: pd.DataFrame) -> str:
    sums = counts.groupby("label")[["flagged", "recordings"]].sum()
    parts = [
        f"{int(sums['flagged'][label]):,} of {int(sums['recordings'][label]):,} {label}"
        for label in CATEGORIES
        if label in sums.index
    ]
    return f"The check “{check}” would remove {' and '.join(parts)} recordings."


def _left(metrics: pd.DataFrame) -> list[str]:
    """Return how much of the test is not flagged, and whether that has a balanced accuracy."""
    own = metrics[metrics["by"] == "hygiene"]
    if own.empty:
        return []
    total = int(metrics.loc[metrics["by"] == "all", "n"].iloc[0])
    count = int(own["n"].iloc[0])
    flagged = f"A flagged recording is heard in {total - count:,} of {total:,} test trials"
    line = f"{flagged}; {count:,} are left"
    if (own["metric"] == "balanced_accuracy").any():
        return [f"{line}, for which results stand under Robustness."]
    return [f"{line}, all of one class, so that they have no balanced accuracy."]
