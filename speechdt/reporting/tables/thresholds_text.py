"""Tables of thresholds as text: all of them, and DT75 by level of the other dimension."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from speechdt.reporting.tables.formatting import (
    CHANCE,
    DIMENSIONS,
    FOOTNOTE,
    MISSING,
    UNDEFINED,
    Range,
    Row,
    Threshold,
    minus,
    number,
)

THRESHOLDS_NOTE = (
    f"{FOOTNOTE} FA: false alarms, on dev. “75 % correct”: where balanced accuracy reaches 75 %; "
    "its 50 % is chance with two balanced classes. Fit: deviance of the curve of DT50 and DT75, "
    "against what differences between groups would bring; “poor” where p is below 0.01."
)
MISFIT = 0.01
"""p below which a curve is called a poor fit: a run has a hundred curves."""
THRESHOLDS = {
    "DT50": ("detection", "dt50"),
    "DT75": ("detection", "dt75"),
    "DT75, 10 % FA": ("far10", "dt75"),
    "50 % correct": ("accuracy", "dt50"),
    "75 % correct": ("accuracy", "dt75"),
    "AUC 0.75": ("auc", "dt75"),
}
"""Headings of the thresholds table: the kind of curve, and which of its thresholds."""
AT_CHANCE = ("accuracy", "auc")
"""Kinds of curve that start at 0.5, by chance and not by what a detector says to background."""


def thresholds_table(
    thresholds: pd.DataFrame, ranges: Mapping[str, Range], *, pooled: bool = False
) -> pd.DataFrame:
    """Return the thresholds, one row for each variant, dimension and slice.

    Parameters
    ----------
    thresholds : DataFrame
        The table of this name.
    ranges : mapping
        From `tested_ranges`.
    pooled : bool
        Leave out the slices: one row for each variant and dimension.
    """
    rows = []
    for dimension, (name, unit) in DIMENSIONS.items():
        along = thresholds[thresholds["dimension"] == dimension]
        for (variant, part), curves in along.groupby(["variant", "slice"], sort=False):
            if pooled and part != "all":
                continue
            kinds: Row = curves.set_index("kind")
            row = {"Variant": variant, "Along": f"{name} ({unit})", "At": _part(dimension, part)}
            for heading, (kind, threshold) in THRESHOLDS.items():
                row[heading] = _threshold(kinds, kind, threshold, ranges[dimension])
            for rate in ("guess", "lapse"):
                row[rate.capitalize()] = number(kinds.loc["detection", rate], 3)
            row["Fit"] = fit_text(kinds.loc["detection", "fit_p"])
            rows.append(row)
    headings = ["Variant", "Along", "At", *THRESHOLDS, "Guess", "Lapse", "Fit"]
    return pd.DataFrame(rows, columns=headings, dtype=str)


def fit_text(p: float) -> str:
    """Return whether a curve fits, with the p-value of its deviance."""
    if math.isnan(p):
        return MISSING
    return f"poor, p = {p:.3f}" if p < MISFIT else f"p = {p:.2f}"


def _part(dimension: Any, part: Any) -> str:
    """Return the level of the other dimension that a curve was measured at."""
    other, unit = DIMENSIONS["duration" if dimension == "snr" else "snr"]
    return f"all {other}s" if part == "all" else f"{minus(str(part))} {unit}"


def _threshold(of_kind: pd.DataFrame, kind: str, name: str, tested: Range) -> str:
    if kind not in of_kind.index:
        return MISSING
    text = Threshold.of(of_kind.loc[kind], name).text(tested)
    return CHANCE if kind in AT_CHANCE and text == UNDEFINED else text


def sliced_thresholds_table(
    thresholds: pd.DataFrame, ranges: Mapping[str, Range], dimension: str, name: str = "dt75"
) -> pd.DataFrame:
    """Return one detection threshold: one row a variant, one column a slice."""
    of = (thresholds["dimension"] == dimension) & (thresholds["kind"] == "detection")
    table = thresholds[of]
    parts = list(dict.fromkeys(table["slice"].astype(str)))
    rows = []
    for variant, curves in table.groupby("variant", sort=False):
        by_part = curves.assign(slice=curves["slice"].astype(str)).set_index("slice")
        cells = {
            _part(dimension, part): Threshold.of(by_part.loc[part], name).text(ranges[dimension])
            for part in parts
            if part in by_part.index
        }
        rows.append({"Variant": variant, **cells})
    return pd.DataFrame(rows, dtype=str).fillna(MISSING)
