"""Ranking of the variants in a case as text, and the cases one can ask for."""

import numpy as np
import pandas as pd

from speechdt.reporting.tables.formatting import minus, number, with_interval
from speechdt.statistics.cases import ALL

LEVELS = ("snr_db", "duration_ms", "background", "false_alarm_cost")
"""Columns that make a case."""
FIGURES = (
    *("hit", "false_alarm", "cost", "cost_low", "cost_high"),
    *("difference", "difference_low", "difference_high"),
)
DEFAULT = (ALL, ALL, ALL, "1")
"""The case that a page shows first."""
UNITS = {"snr_db": "dB", "duration_ms": "ms", "background": "", "false_alarm_cost": ""}
CHEAPEST, ALIKE, DEARER = "cheapest", "not told apart", "costs more"
"""What may be said of a variant: its interval of the difference is above zero, or is not."""


def levels(cases: pd.DataFrame) -> pd.DataFrame:
    """Return the levels of each row as text, `LEVELS`."""
    texts = cases[list(LEVELS)].copy()
    texts["false_alarm_cost"] = [f"{cost:.4g}" for cost in cases["false_alarm_cost"]]
    for name in ("snr_db", "duration_ms"):
        texts[name] = [_level(value) for value in cases[name]]
    return texts.astype(str)


def _level(value: object) -> str:
    text = str(value)
    return text if text == ALL else f"{float(text):g}"


def options(cases: pd.DataFrame, column: str) -> list[tuple[str, str]]:
    """Return the levels that one can choose: value and text, all of them first."""
    values = list(dict.fromkeys(levels(cases.drop_duplicates(column))[column]))
    if column != "background":
        values.sort(key=lambda value: -np.inf if value == ALL else float(value))
    return [(value, _text(column, value)) for value in values]


def _text(column: str, value: str) -> str:
    if value == ALL:
        return "all of the plan" if column == "snr_db" else "all"
    if column == "background":
        return "recorded noise" if value == "recording" else f"{value.replace('_', '-')} noise"
    if column == "false_alarm_cost":
        phrases = {"1": "as much as a miss", "0.3333": "a third of a miss"}
        return phrases.get(value, f"as much as {value} misses")
    return minus(f"{value} {UNITS[column]}")


def ranking(cases: pd.DataFrame, case: tuple[str, str, str, str] = DEFAULT) -> pd.DataFrame:
    """Return the variants of a case, the cheapest first.

    Parameters
    ----------
    cases : DataFrame
        ``tables/cases.csv``.
    case : tuple of str
        Its levels, in the order of `LEVELS`, as `levels` writes them.
    """
    own = cases[(levels(cases) == list(case)).all(axis=1)]
    rows = [
        {
            "Variant": str(row["variant"]),
            "Cost": with_interval(row["cost"], row["cost_low"], row["cost_high"], 3),
            "More than the cheapest": with_interval(
                row["difference"], row["difference_low"], row["difference_high"], 3
            ),
            "Verdict": cost_verdict(row["difference_low"]),
            "Hits (%)": number(100 * row["hit"]),
            "False alarms (%)": number(100 * row["false_alarm"]),
        }
        for row in own.to_dict("records")
    ]
    return pd.DataFrame(rows, dtype=str)


def cost_verdict(low: float) -> str:
    """Return what may be said of a variant from the low end of its difference."""
    if np.isnan(low):
        return CHEAPEST
    return DEARER if low > 0 else ALIKE
