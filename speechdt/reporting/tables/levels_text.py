"""Tables of levels and of choices on dev as text."""

from typing import Any

import pandas as pd

from speechdt.reporting.tables.formatting import (
    MISSING,
    minus,
    number,
    text_table,
    with_interval,
)
from speechdt.reporting.tables.levels import numbers, same_level


def presentations_table(presentations: pd.DataFrame) -> pd.DataFrame:
    """Return how each variant hears, and what the choice on dev is worth on test."""
    return text_table(
        presentations,
        {
            "Variant": lambda row: str(row["variant"]),
            "Level (dBFS rms)": lambda row: minus(str(row["level"])),
            "Container": lambda row: str(row["container"]),
            "Options": lambda row: str(row["chosen"]) if pd.notna(row["chosen"]) else MISSING,
            "Offered": lambda row: number(row["offered"], 0),
            "Tried": lambda row: number(row["tried"], 0),
            "Chosen again (%)": lambda row: number(100 * row["share"], 0),
            "AUC on dev": lambda row: number(row["auc_dev"], 3),
            "without": lambda row: number(row["auc_dev_stored"], 3),
            "AUC on test": lambda row: number(row["auc"], 3),
            "without ": lambda row: number(row["auc_stored"], 3),
            "Gain": lambda row: with_interval(row["gain"], row["gain_low"], row["gain_high"], 3),
        },
    )


def levels_table(levels: pd.DataFrame) -> pd.DataFrame:
    """Return AUC at each level, the best range, and how far the level moves the answers."""
    rows = [_row(part) for _, part in levels.groupby("variant", sort=False)]
    return pd.DataFrame(rows).fillna(MISSING)


def _row(of: pd.DataFrame) -> dict[str, str]:
    """Return the row of a variant."""
    best = of[of["near_best"]]
    played = numbers(best["level"])
    near = [f"{at:g}" for at in (played.min(), played.max())] if best["level"].size else []
    ends = [at for at in near if at != "nan"]
    span = " to ".join(dict.fromkeys(ends))
    if (best["level"] == "stored").any():
        span = f"{span}, stored" if span else "stored"
    row = {"Variant": str(of["variant"].iloc[0]), "Clips": number(of["clips"].iloc[0], 0)}
    for _, at in of.iterrows():
        row[minus(same_level(at["level"]))] = _auc(at)
    largest = of["moved"].max()
    return row | {"Within 0.01 of its best": minus(span), "Moved by": number(largest, 2)}


def _auc(row: Any) -> str:
    """Return the AUC, marked where the variant is scored at this level."""
    text = number(row["auc"], 3)
    return f"{text} *" if row["heard"] else text
