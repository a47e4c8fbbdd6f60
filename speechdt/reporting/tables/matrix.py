"""Comparison matrix: one row of figures a variant."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

METRICS = (
    *("accuracy", "balanced_accuracy", "balanced_accuracy_half"),
    *("speech_accuracy", "nonspeech_accuracy"),
    *("precision_speech", "recall_speech", "f1_speech"),
    *("precision_nonspeech", "recall_nonspeech", "f1_nonspeech", "auc"),
    *("dprime", "criterion"),
    *("ece", "mce", "brier", "ece_temperature", "mce_temperature", "brier_temperature"),
    *("ece_platt", "mce_platt", "brier_platt"),
    *("confidence", "confidence_correct", "confidence_wrong", "confidence_gap"),
)
"""Metrics of ``matrix.csv``, over all test trials in noise, each with ``_low`` and ``_high``."""
CLEAN_METRICS = ("accuracy", "balanced_accuracy", "auc")
"""Metrics of the clean cell, as ``clean_…`` columns."""
THRESHOLDS = {
    "dt50_roc10_db": ("roc10", "dt50"),
    "dt75_roc10_db": ("roc10", "dt75"),
    "dt50_db": ("detection", "dt50"),
    "dt75_db": ("detection", "dt75"),
    "auc75_db": ("auc", "dt75"),
    "dt75_far10_db": ("far10", "dt75"),
    "accuracy75_db": ("accuracy", "dt75"),
}
"""Thresholds of ``matrix.csv``: the kind of curve along SNR, and which of its thresholds."""
FALSE_ALARMS = {
    "dt75_false_alarms": "detection",
    "dt75_far10_false_alarms": "far10",
    "accuracy75_false_alarms": "accuracy",
}
"""False alarms that thresholds were bought at, and the kind of curve."""

ORIGINS = {
    "auc_within": ("all", "auc_within"),
    "auc_pooled_minus_within": ("all", "difference"),
    "auc_unseen": ("unseen", "auc"),
}
"""Columns from ``origins.csv``: the part of the trials, and the number."""


def matrix(
    metrics: pd.DataFrame,
    thresholds: pd.DataFrame,
    variants: Mapping[str, Mapping[str, str]],
    dev: Mapping[str, Mapping[str, float]],
) -> pd.DataFrame:
    """Return the comparison matrix, one row a variant.

    Parameters
    ----------
    metrics : DataFrame
        From `slices.by_slice`, with a variant column.
    thresholds : DataFrame
        From `thresholds.thresholds`, with a variant column.
    variants : mapping
        backend and model (nano, random weights, a name, or '') of each variant, in the order of the
        rows.
    dev : mapping
        From `skill.mean_auc`, by variant.

    Returns
    -------
    DataFrame
        variant, backend, model, n; `METRICS` and `CLEAN_METRICS`, each with ``_low`` and ``_high``;
        `THRESHOLDS`, in dB, each with ``_low``, ``_high`` and ``…_censored``; `FALSE_ALARMS`;
        dev_auc, dev_auc_low and dev_auc_high.
    """
    return pd.DataFrame(
        _matrix_row(
            variant,
            described,
            metrics[metrics["variant"] == variant],
            thresholds[thresholds["variant"] == variant],
        )
        | dict(dev[variant])
        for variant, described in variants.items()
    )


def _matrix_row(
    variant: str, described: Mapping[str, str], metrics: pd.DataFrame, thresholds: pd.DataFrame
) -> dict[str, Any]:
    overall = metrics[metrics["by"] == "all"].set_index("metric")
    clean = metrics[metrics["by"] == "clean"].set_index("metric")
    row: dict[str, Any] = {"variant": variant, **described, "n": overall["n"].iloc[0]}
    for metric in METRICS:
        row |= _with_interval(metric, overall, metric)
    for metric in CLEAN_METRICS:
        row |= _with_interval(f"clean_{metric}", clean, metric)
    along_snr = thresholds[(thresholds["dimension"] == "snr") & (thresholds["slice"] == "all")]
    curves = along_snr.set_index("kind")
    for column, (kind, name) in THRESHOLDS.items():
        stem = column.removesuffix("_db")
        at = curves.loc[kind] if kind in curves.index else pd.Series(dtype=object)
        row[column] = at.get(name)
        row[f"{stem}_censored"] = at.get(f"{name}_censored")
        row[f"{column}_low"], row[f"{column}_high"] = at.get(f"{name}_low"), at.get(f"{name}_high")
    for column, kind in FALSE_ALARMS.items():
        row[column] = curves["false_alarms"].get(kind) if len(curves) else np.nan
    return row


def _with_interval(column: str, table: pd.DataFrame, metric: str) -> dict[str, Any]:
    at = table.loc[metric] if metric in table.index else pd.Series(dtype=float)
    return {
        column: at.get("value"),
        f"{column}_low": at.get("low"),
        f"{column}_high": at.get("high"),
    }


def with_origins(matrix: pd.DataFrame, origins: pd.DataFrame) -> pd.DataFrame:
    """Add what is left of the AUC within origins.

    Parameters
    ----------
    matrix : DataFrame
        From :func:`matrix`.
    origins : DataFrame
        ``origins.csv``.

    Returns
    -------
    DataFrame
        With `ORIGINS`, each with ``_low`` and ``_high``: over pairs of one origin; pooled minus
        that; and the pooled AUC of origins that nothing was learned from.
    """
    extended = matrix.copy()
    for column, (part, name) in ORIGINS.items():
        own = origins[origins["part"] == part].set_index("variant")
        for end in ("", "_low", "_high"):
            extended[f"{column}{end}"] = extended["variant"].map(own[f"{name}{end}"]).astype(float)
    return extended
