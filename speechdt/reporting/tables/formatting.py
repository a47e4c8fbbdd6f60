"""Text of results: numbers, intervals, thresholds outside the tested range, tables of strings.

A table here is a DataFrame of str, which `speechdt.reporting.tables.markup` and the report write
out as it is. The CSV files keep every digit.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import pandas as pd

from speechdt.reporting.tables import skill

Range: TypeAlias = tuple[float, float]
"""Lowest and highest tested level."""
Row: TypeAlias = Any
"""A row of a table, indexed by column: pandas' own types do not say what stands in it."""
Cell: TypeAlias = Callable[[Row], str]

MISSING = "–"
CHANCE = "chance"
UNDEFINED = "undefined"
DIMENSIONS = {
    "snr": ("SNR", "dB"),
    "snr_speech": ("speech-band SNR", "dB"),
    "duration": ("duration", "ms"),
}
"""Dimensions of curves by their name in the tables: name in a text, and unit."""
EXPLANATIONS = {
    "<": "Below the tested range: the curve is higher than this already at the lowest level.",
    ">": "Above the tested range: the curve does not get this high even at the highest level.",
    UNDEFINED: "No threshold exists: the false-alarm rate on background alone is already this "
    "high, or the curve does not rise by more than chance, or the criterion rests on fewer than "
    "100 clips or 30 groups of NONSPEECH.",
    CHANCE: "With two balanced classes, guessing alone is right half of the time.",
    MISSING: "Not measured, or not defined for these trials.",
}
"""Why a cell holds no plain number, by how its text starts."""
ROUNDING = 1e-6
"""Distance outside the tested range at which a level may lie by rounding alone."""
FOOTNOTE = (
    "In brackets: 95 % intervals, bootstrapped over groups of recordings. “<” and “>”: the "
    "threshold lies outside the tested range; of an end of an interval also: it lies too far out "
    "for the resamples to place it. “undefined”: the false-alarm rate on "
    "background alone is already this high, the curve does not rise, or too few clips were tested."
)
MODEL_NOTES = {
    "nano": "nano: a toy of the architecture, trained by this workflow in minutes; its figures say "
    "nothing about the real model.",
    "random weights": "random weights: for timing alone; what such a model answers means nothing.",
}
"""Sentences beside the figures of stand-in models, by kind of model."""


def minus(text: str) -> str:
    """Return the text with true minus signs."""
    return text.replace("-", "−")


def number(value: float | None, digits: int = 1) -> str:
    """Return a number with fixed digits, `MISSING` for NaN."""
    if pd.isna(value):  # of older pandas, rows hold NA
        return MISSING
    text = f"{round(value, 9):,.{digits}f}"  # 0.7499999999999 is 0.75, whichever way it came about
    return text.removeprefix("-") if not text.strip("-0.") else minus(text)


def significant(value: float | None, digits: int = 3) -> str:
    """Return a number with so many significant digits, but never less than its whole part."""
    if pd.isna(value):  # of older pandas, rows hold NA
        return MISSING
    magnitude = int(f"{value:.{digits - 1}e}".partition("e")[2])  # of the rounded number
    return number(value, max(digits - 1 - magnitude, 0))


def with_interval(value: float, low: float, high: float, digits: int = 1) -> str:
    """Return ``value [low, high]``; the value alone where there is no interval."""
    if math.isnan(value) or math.isnan(low) or math.isnan(high):
        return number(value, digits)
    return f"{number(value, digits)} [{number(low, digits)}, {number(high, digits)}]"


def percent(row: Row, name: str) -> str:
    """Return a proportion and its ``_low`` and ``_high`` as percent."""
    value, low, high = (100 * float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    return with_interval(value, low, high)


def decimal(row: Row, name: str) -> str:
    """Return a figure of merit and its ``_low`` and ``_high`` with three decimals."""
    value, low, high = (float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    return with_interval(value, low, high, digits=3)


class Threshold(NamedTuple):
    """A threshold in dB or ms.

    Attributes
    ----------
    value : float
        NaN if censored.
    low, high : float
        Interval; -inf or inf beyond the tested range or not placed, NaN where undefined.
    censored : str
        ``<``, ``>``, ``undefined``, or empty.
    """

    value: float
    low: float
    high: float
    censored: str

    @classmethod
    def of(cls, row: Row, name: str, unit: str = "") -> "Threshold":
        """Read ``{name}{unit}``, its ``_low`` and ``_high``, and ``{name}_censored`` of a row."""
        value, low, high = (float(row[f"{name}{unit}{end}"]) for end in ("", "_low", "_high"))
        censored = row[f"{name}_censored"]
        return cls(value, low, high, censored if isinstance(censored, str) else "")

    @property
    def bounds(self) -> tuple[float, float, float]:
        """Low end, threshold and high end, infinite where they lie outside the tested range."""
        middle = {"<": -math.inf, ">": math.inf}.get(self.censored, self.value)
        ends = [middle if math.isnan(end) else end for end in (self.low, self.high)]
        return min(ends[0], middle), middle, max(ends[1], middle)

    def text(self, tested: Range) -> str:
        """Return the threshold and its interval, such as ``0.6 [−2.1, > 20]``."""
        if self.censored == UNDEFINED:
            return UNDEFINED
        low, middle, high = (level(bound, tested) for bound in self.bounds)
        return middle if low == high else f"{middle} [{low}, {high}]"


def level(value: float, tested: Range) -> str:
    """Return a level in dB or ms, or that it lies outside the tested range: ``< −5``, ``> 20``."""
    lowest, highest = tested
    if lowest - ROUNDING <= value <= highest + ROUNDING:
        return number(value, 0 if highest >= 100 else 1)
    if math.isnan(value):
        return MISSING
    return minus(f"< {lowest:g}" if value < lowest else f"> {highest:g}")


def tested_ranges(curves: pd.DataFrame) -> dict[str, Range]:
    """Return the lowest and highest level of each dimension, from the observed points."""
    observed = curves[~curves["fitted"].astype(bool)].groupby("dimension")["level"]
    ends = observed.agg(["min", "max"]).round(6)
    return {str(name): (float(low), float(high)) for name, low, high in ends.itertuples()}


def explain(text: str) -> str:
    """Return why a cell such as ``< −5`` or ``undefined`` holds no plain number, else nothing."""
    return EXPLANATIONS.get(text.partition(" ")[0], "")


def text_table(rows: pd.DataFrame, columns: Mapping[str, Cell]) -> pd.DataFrame:
    """Return the text of each row under each heading."""
    cells = [[cell(row) for cell in columns.values()] for row in rows.to_dict("records")]
    return pd.DataFrame(cells, columns=list(columns), dtype=str)


def model_notes(matrix: pd.DataFrame) -> list[str]:
    """Return what must stand beside the figures, each a sentence after the variants it is about.

    It tells of stand-in models, and of variants that show no skill on dev or are worse than chance.
    """
    stand_ins = [
        f"{', '.join(matrix['variant'][matrix['model'] == model])} — {note}"
        for model, note in MODEL_NOTES.items()
        if (matrix["model"] == model).any()
    ]
    return stand_ins + skill.notes(matrix)
