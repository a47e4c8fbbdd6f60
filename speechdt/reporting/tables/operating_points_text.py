"""Tables of operating points and of versions as text."""

import math
from collections.abc import Mapping
from functools import partial

import pandas as pd

from speechdt.reporting.tables.formatting import (
    MISSING,
    Range,
    Row,
    Threshold,
    decimal,
    number,
    percent,
    significant,
    text_table,
)
from speechdt.reporting.tables.latency_text import marked
from speechdt.reporting.tables.operating_points import at
from speechdt.reporting.tables.statistics_text import p_value

DETECTORS_NOTE = (
    "Over all trials in noise of the test split, which all detectors heard. Ready-made detectors "
    "first, in the order of their AUC; behind them what was trained here and stand-ins. DT75 "
    "there: the SNR at which 75 % of SPEECH is heard at 10 % false alarms."
)


def curve_table(points: pd.DataFrame) -> pd.DataFrame:
    """Return what the ROC of each variant has to offer: one row a variant."""
    return text_table(
        at(points),
        {
            "Variant": lambda row: str(row["variant"]),
            "AUC": partial(decimal, name="auc"),
            "AUC below 10 %": partial(decimal, name="pauc10"),
            "Hits at 1 % false alarms (%)": partial(percent, name="hit_far1"),
            "at 5 %": partial(percent, name="hit_far5"),
            "at 10 %": partial(percent, name="hit_far10"),
            "Least cost": partial(decimal, name="dcf_min"),
        },
    )


def thresholds_table(points: pd.DataFrame) -> pd.DataFrame:
    """Return what each variant does at its own threshold, and at its vendor's: a row for each."""
    rows = []
    for _, row in at(points).iterrows():
        for prefix, whose in (("", "dev's"), ("vendor_", "vendor's")):
            threshold = float(row.get(f"{prefix}threshold", math.nan))
            if math.isnan(threshold):
                continue
            rows.append(
                {
                    "Variant": str(row["variant"]),
                    "Threshold": whose,
                    "at": number(threshold, 3),
                    "Hits (%)": percent(row, f"{prefix}hit"),
                    "False alarms (%)": percent(row, f"{prefix}false_alarm"),
                    "Cost": decimal(row, f"{prefix}dcf"),
                }
            )
    return pd.DataFrame(rows, dtype=str)


def versions_table(versions: pd.DataFrame) -> pd.DataFrame:
    """Return what two versions of a detector differ and agree in: one row a pair."""
    return text_table(
        versions,
        {
            "Versions": lambda row: f"{row['variant']} − {row['reference']}",
            "AUC": lambda row: number(float(row["auc"]), 3),
            "Reference": lambda row: number(float(row["auc_reference"]), 3),
            "Difference": partial(decimal, name="auc_difference"),
            "p, Holm": lambda row: p_value(float(row["p_holm"])),
            "": lambda row: str(row["verdict"]),
            "Spearman's ρ": partial(decimal, name="spearman"),
            "r of log-odds": partial(decimal, name="pearson_logit"),
            "θ": lambda row: number(float(row["threshold"]), 3),
            "of reference": lambda row: number(float(row["threshold_reference"]), 3),
            "Shift": partial(decimal, name="threshold_shift"),
        },
    )


def kept_threshold_table(versions: pd.DataFrame) -> pd.DataFrame:
    """Return what becomes of a version at the threshold of its reference: one row a pair."""
    return text_table(
        versions,
        {
            "Versions": lambda row: f"{row['variant']} − {row['reference']}",
            "Hits at own θ (%)": partial(percent, name="hit"),
            "at the reference's": partial(percent, name="hit_kept"),
            "False alarms at own θ (%)": partial(percent, name="false_alarm"),
            "at the reference's θ": partial(percent, name="false_alarm_kept"),
        },
    )


def detectors_table(
    points: pd.DataFrame,
    matrix: pd.DataFrame,
    latency: pd.DataFrame,
    thresholds: pd.DataFrame,
    ranges: Mapping[str, Range],
) -> pd.DataFrame:
    """Return the few figures that say most of each detector, ready-made ones first, best first.

    Parameters
    ----------
    points, matrix, latency, thresholds : DataFrame
        The tables ``operating_points.csv`` and of these names.
    ranges : mapping
        From `tested_ranges`.
    """
    own = at(points).merge(matrix[["variant", "backend", "model"]], on="variant")
    own = own.merge(latency[["variant", "latency_p50_ms", "trusted"]], on="variant", how="left")
    own = own.sort_values(["ready_made", "auc"], ascending=False, kind="stable")
    pooled = (thresholds["kind"] == "roc10") & (thresholds["dimension"] == "snr")
    along = thresholds[pooled & (thresholds["slice"] == "all")].set_index("variant")

    def dt75(row: Row) -> str:
        if row["variant"] not in along.index:
            return MISSING
        return Threshold.of(along.loc[row["variant"]], "dt75").text(ranges["snr"])

    return text_table(
        own,
        {
            "Variant": lambda row: str(row["variant"]),
            "Detector": lambda row: " ".join(filter(None, (row["model"], row["backend"]))),
            "AUC": partial(decimal, name="auc"),
            "Hits at 10 % false alarms (%)": partial(percent, name="hit_far10"),
            "DT75 there (dB)": dt75,
            "Hits at 1 % (%)": partial(percent, name="hit_far1"),
            "p50 (ms)": lambda row: marked(
                significant(float(row["latency_p50_ms"])), row["trusted"]
            ),
        },
    )
