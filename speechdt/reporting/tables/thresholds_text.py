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
    f"{FOOTNOTE} DT50 and DT75: hits at 10 % false alarms, whatever a detector’s own threshold. "
    "At own θ: at the threshold learned on dev, and at that for 10 % false alarms on dev, each "
    "with the false alarms (FA) that it was bought at. “75 % correct”: where balanced accuracy "
    "reaches 75 %. Fit: deviance of the first curve that is defined, against what differences "
    "between groups would bring; “poor” where p is below 0.01."
)
MISFIT = 0.01
"""p below which a curve is called a poor fit: a run has a hundred curves."""
HEADLINE = "roc10"
"""Kind of the curve that detectors are compared by."""
OWN = "detection"
"""Kind of the curve at a detector's own threshold."""
THRESHOLDS = {
    "DT50": (HEADLINE, "dt50"),
    "DT75": (HEADLINE, "dt75"),
    "DT50, own θ": (OWN, "dt50"),
    "DT75, own θ": (OWN, "dt75"),
    "DT75, θ for 10 % FA": ("far10", "dt75"),
    "75 % correct": ("accuracy", "dt75"),
    "AUC 0.75": ("auc", "dt75"),
}
"""Headings of the thresholds table: the kind of curve, and which of its thresholds."""
BOUGHT_AT = {"DT75, own θ": "FA (%)", "DT75, θ for 10 % FA": "its FA (%)"}
"""Headings after which the false alarms of the same curve stand."""
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
                if heading in BOUGHT_AT:
                    row[BOUGHT_AT[heading]] = number(100 * kinds.loc[kind, "false_alarms"])
            for rate in ("guess", "lapse"):
                row[rate.capitalize()] = number(kinds.loc[OWN, rate], 3)
            tests = [kinds["fit_p"].get(kind, math.nan) for kind in (HEADLINE, OWN)]
            row["Fit"] = fit_text(next((p for p in tests if not math.isnan(p)), math.nan))
            rows.append(row)
    headings = ["Variant", "Along", "At"]
    for heading in THRESHOLDS:
        headings += [heading, *([BOUGHT_AT[heading]] if heading in BOUGHT_AT else [])]
    headings += ["Guess", "Lapse", "Fit"]
    return pd.DataFrame(rows, columns=headings, dtype=str)


def fit_text(p: float) -> str:
    """Return whether a curve fits, with the p-value of its deviance."""
    if math.isnan(p):
        return MISSING
    return f"poor, p = {p:.3f}" if p < MISFIT else f"p = {p:.2f}"


def _part(dimension: Any, part: Any) -> str:
    """Return the level of the other dimension, or the background, that a curve was measured at."""
    other, unit = DIMENSIONS["snr" if dimension == "duration" else "duration"]
    if part == "all":
        return f"all {other}s"
    return f"{minus(str(part))} {unit}" if is_level(part) else str(part).replace("_", "-")


def is_level(part: Any) -> bool:
    """Say whether a slice is a level of the other dimension, and no background."""
    try:
        float(part)
    except ValueError:
        return False
    return True


def _threshold(of_kind: pd.DataFrame, kind: str, name: str, tested: Range) -> str:
    if kind not in of_kind.index:
        return MISSING
    text = Threshold.of(of_kind.loc[kind], name).text(tested)
    return CHANCE if kind in AT_CHANCE and name == "dt50" and text == UNDEFINED else text


def sliced_thresholds_table(
    thresholds: pd.DataFrame,
    ranges: Mapping[str, Range],
    dimension: str,
    name: str = "dt75",
    *,
    kind: str = HEADLINE,
    backgrounds: bool = False,
) -> pd.DataFrame:
    """Return one threshold: one row a variant, one column a slice.

    Slices are the levels of the other dimension, or the backgrounds; “all” is among either.
    """
    of = (thresholds["dimension"] == dimension) & (thresholds["kind"] == kind)
    slices = thresholds["slice"].astype(str)
    of &= (slices == "all") | (slices.map(is_level) != backgrounds)
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
