"""Table of pooled AUC and AUC within origins as text, and sentences on their difference."""

import pandas as pd

from speechdt.reporting.tables.formatting import MISSING, Row, decimal, text_table

PARTS = {"all": "all", "seen": "seen", "unseen": "unseen"}
"""Parts of the table in its order, and their names there."""


def origins_table(origins: pd.DataFrame) -> pd.DataFrame:
    """Return pooled AUC and AUC within origins: a row for each variant and part of the trials."""
    shown = origins[origins["part"].isin(PARTS)]
    return text_table(
        shown,
        {
            "Variant": lambda row: str(row["variant"]),
            "Trained here": lambda row: "yes" if row["trained"] else "no",
            "Origins": lambda row: PARTS[row["part"]],
            "AUC": lambda row: decimal(row, "auc"),
            "Within": lambda row: decimal(row, "auc_within"),
            "Pooled − within": lambda row: decimal(row, "difference"),
            "Of both classes": _counts,
        },
    )


def _counts(row: Row) -> str:
    """Return how many origins hold both classes, and groups of either class of them."""
    if not row["origins"]:
        return MISSING
    return f"{row['origins']} ({row['groups_speech']} + {row['groups_nonspeech']} groups)"


def notes(origins: pd.DataFrame) -> list[str]:
    """Return a sentence for each variant whose pooled AUC is not what it is within origins."""
    return [
        _note(row)
        for _, row in origins[origins["part"] == "all"].iterrows()
        if row["difference_low"] > 0 or row["difference_high"] < 0
    ]


def _note(row: Row) -> str:
    figures = (
        f"{row['variant']}: AUC {decimal(row, 'auc')} over all pairs of trials, "
        f"{decimal(row, 'auc_within')} over pairs of one origin, a difference of "
        f"{decimal(row, 'difference')}. "
    )
    if row["difference"] > 0:
        return f"{figures}Part of the pooled figure is where recordings come from, not speech."
    return f"{figures}Where recordings come from hides part of what it tells apart."
