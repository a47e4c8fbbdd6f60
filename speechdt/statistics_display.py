"""Comparisons as people read them: tables of text, as in `speechdt.display`."""

import math

import pandas as pd

from speechdt.display import MISSING, Row, decimal, number, percent, text_table

STRATA = {
    "All": ("all", ""),
    "Without flagged": ("hygiene", "unflagged"),
    "Narrow band": ("bandwidth", "narrow"),
    "Full band": ("bandwidth", "full"),
}
"""Headings of the table of strata, and the slices behind them."""


def comparisons_table(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the contrasts that were planned, and those beside them: one row a contrast."""
    return text_table(
        comparisons[comparisons["family"] != ""],
        {
            "Contrast": lambda row: f"{row['variant']} − {row['reference']}",
            "Balanced (%)": lambda row: number(100 * row["balanced_accuracy"]),
            "Reference (%)": lambda row: number(100 * row["balanced_accuracy_reference"]),
            "Difference (points)": lambda row: percent(row, "difference"),
            "p": lambda row: p_value(row["p"]),
            "p, Holm": lambda row: p_value(row["p_holm"]),
            "DT75 (dB)": threshold_difference,
            "p of DT75": lambda row: p_value(row["dt75_p"]),
            "Holm": lambda row: p_value(row["dt75_p_holm"]),
        },
    )


def threshold_difference(row: Row) -> str:
    """Return a difference of thresholds; ``higher`` or ``lower`` if one lies beyond the range."""
    value, low, high = (float(row[f"dt75_difference_db{end}"]) for end in ("", "_low", "_high"))
    beyond = {">": "higher", "<": "lower", "undefined": MISSING}
    text = beyond.get(row["dt75_difference_censored"], number(value))
    if math.isnan(low) or math.isnan(high) or low == high:
        return text
    ends = [("−∞" if end < 0 else "∞") if math.isinf(end) else number(end) for end in (low, high)]
    return f"{text} [{ends[0]}, {ends[1]}]"


def p_value(p: float) -> str:
    """Return a p-value with three decimals, ``< 0.001`` below them."""
    return "< 0.001" if p < 0.001 else number(p, 3)


def sensitivity_table(matrix: pd.DataFrame) -> pd.DataFrame:
    """Return d' and criterion beside the two rates that they are made of: one row a variant."""
    return text_table(
        matrix,
        {
            "Variant": lambda row: str(row["variant"]),
            "SPEECH (%)": lambda row: percent(row, "speech_accuracy"),
            "NONSPEECH (%)": lambda row: percent(row, "nonspeech_accuracy"),
            "d′": lambda row: decimal(row, "dprime"),
            "Criterion c": lambda row: decimal(row, "criterion"),
        },
    )


def strata_table(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return balanced accuracy in percent over all trials and in each stratum there is."""
    of = metrics[metrics["metric"] == "balanced_accuracy"]
    rows = []
    for variant, figures in of.groupby("variant", sort=False):
        found: Row = figures.assign(level=figures["level"].fillna("").astype(str))
        found = found.set_index(["by", "level"]).rename(
            columns={"low": "value_low", "high": "value_high"}
        )
        cells = {
            heading: percent(found.loc[key], "value")
            for heading, key in STRATA.items()
            if key in found.index
        }
        rows.append({"Variant": variant, **cells})
    return pd.DataFrame(rows, dtype=str).fillna(MISSING)
