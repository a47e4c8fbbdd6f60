"""The report's section on hygiene: what each check would remove, and what flags leave of test."""

from typing import NamedTuple

import pandas as pd

from speechdt.corpus.sources import CATEGORIES
from speechdt.reporting.pages.parts import Drawing, data_uri, width

CAPTION = (
    "Share of the recordings of each category that each check objects to: NONSPEECH in which its "
    "detector hears speech, SPEECH in which it hears too little."
)


class HygieneSection(NamedTuple):
    """What the section shows: sentences, then a figure."""

    lines: list[str]
    drawing: Drawing


def hygiene_section(counts: pd.DataFrame, metrics: pd.DataFrame, svg: str) -> HygieneSection:
    """Return the section.

    Parameters
    ----------
    counts : DataFrame
        ``corpus/hygiene.csv``.
    metrics : DataFrame
        ``tables/metrics.csv``.
    svg : str
        The figure.
    """
    lines = [_removed(str(check), own) for check, own in counts.groupby("check", sort=False)]
    title = "What hygiene would remove"
    return HygieneSection(
        lines + _left(metrics), Drawing("hygiene", title, CAPTION, data_uri(svg), width(svg))
    )


def _removed(check: str, counts: pd.DataFrame) -> str:
    sums = counts.groupby("label")[["flagged", "recordings"]].sum()
    parts = [
        f"{int(sums['flagged'][label]):,} of {int(sums['recordings'][label]):,} {label}"
        for label in CATEGORIES
        if label in sums.index
    ]
    return f"The check “{check}” would remove {' and '.join(parts)} recordings."


def _left(metrics: pd.DataFrame) -> list[str]:
    """Say how much of the test is not flagged, and what can be said of it."""
    own = metrics[metrics["by"] == "hygiene"]
    if own.empty:
        return []
    total = int(metrics.loc[metrics["by"] == "all", "n"].iloc[0])
    count = int(own["n"].iloc[0])
    heard = f"A flagged recording is heard in {total - count:,} of {total:,} test trials"
    line = f"{heard}; {count:,} are left"
    if (own["metric"] == "balanced_accuracy").any():
        return [f"{line}, for which results stand under Robustness."]
    return [f"{line}, all of one class, so that they have no balanced accuracy."]
