"""Tables of comparisons, sensitivity, strata, give-aways and left-out corpora as text."""

import math

import pandas as pd

from speechdt.corpus.sources import CATEGORIES
from speechdt.reporting.tables.formatting import (
    MISSING,
    Row,
    Threshold,
    decimal,
    minus,
    number,
    percent,
    text_table,
    with_interval,
)

UNFLAGGED = "Without flagged"
STRATA = {
    "All": ("all", ""),
    UNFLAGGED: ("hygiene", "unflagged"),
    "Without contradicted": ("labels", "uncontradicted"),
    "Narrow band": ("bandwidth", "narrow"),
    "Full band": ("bandwidth", "full"),
}
"""Headings of the table of strata, and the slices behind them."""
MEASURES = {
    "balanced_accuracy": "balanced accuracy (%)",
    "auc": "AUC",
    "miss_rate": "speech missed (%)",
    "false_alarm_rate": "false alarms (%)",
}
LEFT_OUT_NOTE = (
    "On the test trials of one corpus alone: a variant that learned from the corpus beside one "
    "that did not. Of a variant that is trained here, weights, checkpoint, threshold and "
    "calibration were learned again without it, from a train set of the same size; of the others "
    "the threshold. Difference: in-domain minus left out; learning from the corpus is worth "
    "something where it is above zero for accuracy and AUC, below zero for errors."
)


def comparisons_table(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the contrasts that were planned, and those beside them: one row a contrast."""
    return text_table(
        comparisons[comparisons["family"] != ""],
        {
            "Contrast": lambda row: f"{row['variant']} − {row['reference']}",
            "AUC": lambda row: number(row["auc"], 3),
            "Reference": lambda row: number(row["auc_reference"], 3),
            "Difference": lambda row: decimal(row, "auc_difference"),
            "p": lambda row: p_value(row["auc_p"]),
            "p, Holm": lambda row: p_value(row["auc_p_holm"]),
            "Verdict": lambda row: _verdict(row["verdict"]),
            "Balanced (points)": lambda row: percent(row, "difference"),
            "Holm": lambda row: p_value(row["p_holm"]),
            "DT75 (dB)": threshold_difference,
            "Holm of DT75": lambda row: p_value(row["dt75_p_holm"]),
        },
    )


def _verdict(verdict: object) -> str:
    return verdict if isinstance(verdict, str) and verdict else MISSING


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
    """Return a p-value with three decimals, ``<0.001`` below them."""
    return "<0.001" if p < 0.001 else number(p, 3)


def trading_table(
    surface: pd.DataFrame, contour: pd.DataFrame, tested: tuple[float, float]
) -> pd.DataFrame:
    """Return the worth of a doubled duration in dB, and the contour at the tested durations."""
    rows = []
    for _, row in surface.iterrows():
        own = contour[(contour["variant"] == row["variant"]) & contour["tested"]]
        own = own[own["kind"] == row["kind"]]
        value, low, high = (float(row[f"db_per_doubling{end}"]) for end in ("", "_low", "_high"))
        cells = {
            f"{at['duration_ms']:g} ms": Threshold(
                at["snr_db"], at["snr_low"], at["snr_high"], str(at["snr_censored"])
            ).text(tested)
            for _, at in own.iterrows()
        }
        trade = {"dB a doubling": with_interval(value, low, high), "Lapse": number(row["lapse"], 3)}
        at = {"At": "own θ" if row["kind"] == "detection" else "10 % FA"}
        rows.append({"Variant": str(row["variant"]), **at, **trade, **cells})
    return pd.DataFrame(rows, dtype=str)


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
    """Return balanced accuracy in percent over all trials and in each stratum there is.

    Where the trials without flags are of one class, it is that class's share of right decisions.
    """
    columns = {"low": "value_low", "high": "value_high"}
    rows = []
    for variant, figures in metrics.groupby("variant", sort=False):
        strata: Row = figures.assign(level=figures["level"].fillna("").astype(str))
        strata = strata.set_index(["by", "level", "metric"]).rename(columns=columns)
        balanced = {
            heading: (*key, "balanced_accuracy")
            for heading, key in STRATA.items()
            if (*key, "balanced_accuracy") in strata.index
        }
        if UNFLAGGED not in balanced:
            balanced |= {
                f"{label} {UNFLAGGED.lower()}": (*STRATA[UNFLAGGED], f"{label.lower()}_accuracy")
                for label in CATEGORIES
            }
        cells = {
            heading: percent(strata.loc[key], "value")
            for heading, key in balanced.items()
            if key in strata.index
        }
        rows.append({"Variant": variant, **cells})
    return pd.DataFrame(rows, dtype=str).fillna(MISSING)


def giveaways_table(giveaways: pd.DataFrame) -> pd.DataFrame:
    """Return the figures of classifiers of level, bandwidth or spectrum: one row a classifier."""
    return text_table(
        giveaways,
        {
            "Sees": lambda row: str(row["features"]),
            "AUC": lambda row: decimal(row, "auc"),
            "Balanced (%)": lambda row: percent(row, "balanced_accuracy"),
        },
    )


def left_out_table(left_out: pd.DataFrame) -> pd.DataFrame:
    """Return the loss of each variant on a corpus that it has learned nothing from."""
    return text_table(
        left_out,
        {
            "Corpus": lambda row: str(row["corpus"]),
            "Variant": lambda row: str(row["variant"]),
            "Learns": lambda row: "weights" if row["trained"] else "threshold",
            "Measure": lambda row: MEASURES.get(row["metric"], "no test trial"),
            "Trials (groups)": lambda row: f"{row['n']:,} ({row['groups']:,})",
            "In-domain": lambda row: _measured(row, "in_domain"),
            "Left out": lambda row: _measured(row, "left_out"),
            "Difference": lambda row: _measured(row, "difference"),
        },
    )


def _measured(row: Row, name: str) -> str:
    return (decimal if row["metric"] == "auc" else percent)(row, name)


def moved_threshold_table(sensitivity: pd.DataFrame) -> pd.DataFrame:
    """Return balanced accuracy at each threshold: one row a variant, one column a threshold."""
    rows = []
    for variant, table in sensitivity.groupby("variant", sort=False):
        cells = {
            _moved(str(row["at"])): percent(row, "balanced_accuracy") for _, row in table.iterrows()
        }
        rows.append({"Variant": str(variant), **cells})
    return pd.DataFrame(rows, dtype=str).fillna(MISSING)


def _moved(at: str) -> str:
    if at == "best":
        return "best on test"
    points = round(100 * float(at))
    return minus(f"{points:+d} points") if points else "θ of dev"
