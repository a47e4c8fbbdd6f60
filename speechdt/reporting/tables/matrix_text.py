"""Tables of the matrix, its slices, calibration and decisions as text."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from speechdt.reporting.tables import skill
from speechdt.reporting.tables.formatting import (
    MISSING,
    Cell,
    Range,
    Threshold,
    decimal,
    minus,
    number,
    percent,
    significant,
    text_table,
)
from speechdt.reporting.tables.latency_text import marked


def matrix_table(
    matrix: pd.DataFrame, latency: pd.DataFrame, ranges: Mapping[str, Range]
) -> pd.DataFrame:
    """Return the comparison matrix, one row a variant, marked as `skill.mark` says."""
    times = ["variant", "latency_p50_ms", "throughput_clips_s", "trusted"]
    tested = ranges.get("snr", (math.nan, math.nan))
    return text_table(
        matrix.merge(latency[times], on="variant", how="left"),
        {
            "Variant": lambda row: f"{row['variant']} {skill.mark(row)}".rstrip(),
            "Backend": lambda row: (
                f"{row['backend']} ({row['model']})" if row["model"] else str(row["backend"])
            ),
            "Accuracy (%)": lambda row: percent(row, "accuracy"),
            "Balanced (%)": lambda row: percent(row, "balanced_accuracy"),
            "SPEECH (%)": lambda row: percent(row, "speech_accuracy"),
            "NONSPEECH (%)": lambda row: percent(row, "nonspeech_accuracy"),
            "AUC": lambda row: decimal(row, "auc"),
            "DT50 (dB)": lambda row: Threshold.of(row, "dt50_roc10", "_db").text(tested),
            "DT75 (dB)": lambda row: Threshold.of(row, "dt75_roc10", "_db").text(tested),
            "DT75, own θ": lambda row: Threshold.of(row, "dt75", "_db").text(tested),
            "FA (%)": lambda row: number(100 * float(row["dt75_false_alarms"])),
            "Clean (%)": lambda row: percent(row, "clean_accuracy"),
            "p50 (ms)": lambda row: marked(significant(row["latency_p50_ms"]), row["trusted"]),
            "Clips/s": lambda row: significant(row["throughput_clips_s"]),
        },
    )


_AS_VALUE = {"low": "value_low", "high": "value_high"}


def breakdown_table(
    metrics: pd.DataFrame, by: str, metric: str, unit: str = "", first: Sequence[str] = ()
) -> pd.DataFrame:
    """Return a metric in percent: one row a variant, one column a level.

    Parameters
    ----------
    metrics : DataFrame
        The table of this name.
    by : str
        Kind of slice: snr_db, duration_ms, category.
    metric : str
        Name of the metric.
    unit : str
        Written after each level.
    first : sequence of str
        Levels that stand before the others.
    """
    part = metrics[(metrics["by"] == by) & (metrics["metric"] == metric)]
    levels = list(dict.fromkeys([*first, *part["level"]]))
    rows = []
    for variant, figures in part.groupby("variant", sort=False):
        of_level = figures.set_index("level").rename(columns=_AS_VALUE)
        cells = {
            minus(f"{at} {unit}".strip()): percent(of_level.loc[at], "value")
            for at in levels
            if at in of_level.index
        }
        rows.append({"Variant": variant, **cells})
    return pd.DataFrame(rows, dtype=str).fillna(MISSING)


def calibration_table(matrix: pd.DataFrame) -> pd.DataFrame:
    """Return ECE, MCE and Brier score, three rows a variant: raw, temperature, Platt."""
    scales = {"raw": "", "temperature": "_temperature", "Platt": "_platt"}
    rows = [
        {
            "Variant": row["variant"],
            "P(speech)": scale,
            "ECE": decimal(row, f"ece{suffix}"),
            "MCE": decimal(row, f"mce{suffix}"),
            "Brier": decimal(row, f"brier{suffix}"),
        }
        for _, row in matrix.iterrows()
        for scale, suffix in scales.items()
    ]
    return pd.DataFrame(rows, dtype=str)


def decisions_table(
    matrix: pd.DataFrame, calibrations: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Return the decision rule learned on dev, and balanced accuracy on test with and without it.

    Parameters
    ----------
    matrix : DataFrame
        The comparison matrix.
    calibrations : mapping
        Content of ``calibration/{variant}.json`` by variant.
    """

    def learned(name: str) -> Cell:
        return lambda row: significant(calibrations[row["variant"]][name])

    def platt(name: str) -> Cell:
        return lambda row: number(calibrations[row["variant"]]["platt"][name], 2)

    return text_table(
        matrix,
        {
            "Variant": lambda row: str(row["variant"]),
            "Threshold θ": learned("threshold"),
            "Balanced at θ (%)": lambda row: percent(row, "balanced_accuracy"),
            "Balanced at 0.5 (%)": lambda row: percent(row, "balanced_accuracy_half"),
            "θ for 10 % FA": learned("threshold_far10"),
            "Temperature": learned("temperature"),
            "Platt slope": platt("slope"),
            "Platt intercept": platt("intercept"),
        },
    )


def confidence_table(matrix: pd.DataFrame) -> pd.DataFrame:
    """Return the confidence of each variant: over all trials, when right and when wrong."""
    names = {
        "Confidence": "confidence",
        "When right": "confidence_correct",
        "When wrong": "confidence_wrong",
        "Gap": "confidence_gap",
    }
    cells = {heading: partial(decimal, name=name) for heading, name in names.items()}
    return text_table(matrix, {"Variant": lambda row: str(row["variant"]), **cells})
