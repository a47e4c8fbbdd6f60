"""Families of tests whose p-values are corrected together, and the words that these may carry.

A run makes hundreds of comparisons. Only those listed here claim anything, each within its family,
whose p-values are corrected together (Holm 1979), and by one metric, chosen beforehand. A word of
inference, such as gain or refuted, stands where the corrected p-value carries it and nowhere else;
the plain fact stands beside it.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from speechdt.statistics.comparison import holm_within

ALPHA = 0.05
ROUNDING = 1e-9
DEGREES = 12
"""Degrees of freedom of the tails of an interval whose groups are not known here: 13 groups, the
fewest that intervals are recommended for; of more, p-values are a little too large."""


class Family(NamedTuple):
    """Tests that are corrected together.

    Attributes
    ----------
    title : str
        What is tested.
    metric : str
        The one by which it is decided.
    table, column : str
        Where the corrected p-values stand.
    better, worse, neither : str
        Words for a difference, or a criterion, by what its p-value carries.
    """

    title: str
    metric: str
    table: str
    column: str
    better: str
    worse: str
    neither: str


FAMILIES = {
    "contrasts": Family(
        *("planned contrasts of variants", "pooled AUC"),
        *("tables/comparisons.csv", "auc_p_holm"),
        *("gain", "loss", "not shown"),
    ),
    "searches": Family(
        *("what prompt searches are worth", "balanced accuracy"),
        *("tables/searches.csv", "p_holm"),
        *("gain", "loss", "not shown"),
    ),
    "verdict": Family(
        *("criteria of the study", "the metric that a criterion names"),
        *("tables/verdict.csv", "p_holm"),
        *("supported", "refuted", "undecided"),
    ),
    "conditions": Family(
        *("conditions against the neutral one, within a variant", "shift of DT75"),
        *("tables/conditions.csv", "p_holm"),
        *("gain", "loss", "not shown"),
    ),
    "versions": Family(
        *("versions of a detector", "pooled AUC"),
        *("tables/versions.csv", "auc_p_holm"),
        *("gain", "loss", "not shown"),
    ),
}
"""All families, by name."""


def word(family: str, difference: float, p_holm: float) -> str:
    """Return what may be said of a difference.

    Parameters
    ----------
    family : str
        One of `FAMILIES`.
    difference : float
        Above zero if it is for the better.
    p_holm : float
        Corrected within the family; of one that was not tested (NaN), nothing is said.
    """
    words = FAMILIES[family]
    if math.isnan(p_holm) or p_holm > ALPHA + ROUNDING or difference == 0:
        return words.neither
    return words.better if difference > 0 else words.worse


def judged(family: str, table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table of differences with their p-values, corrected over its rows, and words.

    Parameters
    ----------
    family : str
        One of `FAMILIES`.
    table : DataFrame
        With the columns ``{name}_difference`` and its ``_low`` and ``_high``.
    name : str

    Returns
    -------
    DataFrame
        The table with ``{name}_p`` (from the interval), ``{name}_p_holm`` and ``verdict``.
    """
    columns = [f"{name}_difference{end}" for end in ("", "_low", "_high")]
    differences = table[columns].to_numpy(dtype=float)
    p = np.array([interval_p(value, low, high, 0.0) for value, low, high in differences])
    corrected = holm_within(p, np.full(len(p), True))
    verdicts = [word(family, row[0], own) for row, own in zip(differences, corrected, strict=True)]
    return table.assign(**{f"{name}_p": p, f"{name}_p_holm": corrected}, verdict=verdicts)


def interval_p(value: float, low: float, high: float, bound: float, level: float = 0.95) -> float:
    """Return the two-sided p-value of a figure and a bound, from the figure's interval.

    It is 1 - `level` where the bound is an end of the interval (after Altman & Bland 2011,
    doi:10.1136/bmj.d2304, with the tails of Student's t). NaN without an interval, or where it has
    no width: then the figure is a fact.
    """
    if math.isnan(value + low + high) and not math.isinf(value):
        return math.nan
    if low == high:
        return math.nan
    if math.isinf(value):  # beyond the tested range, by nobody knows how much
        return 1 - level if bound < low or bound > high else 1.0
    side = value - low if value >= bound else high - value
    if math.isinf(side) or side <= 0:
        return 1.0
    t = stdtrit(DEGREES, (1 + level) / 2) * abs(value - bound) / side
    return float(2 * stdtr(DEGREES, -t))
