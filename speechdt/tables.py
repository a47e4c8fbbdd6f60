"""The tables of the paper, from the figures of the variants."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from speechdt.latency import frontier, quantile_interval

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
    "dt50_db": ("detection", "dt50"),
    "dt75_db": ("detection", "dt75"),
    "auc75_db": ("auc", "dt75"),
    "dt75_far10_db": ("far10", "dt75"),
    "accuracy75_db": ("accuracy", "dt75"),
}
"""Thresholds of ``matrix.csv``: the kind of curve along SNR, and which of its thresholds."""
TEXT = (
    *("variant", "backend", "model", "by", "metric", "kind", "dimension", "slice"),
    *("processor", "gpus", "search", "prompt", "reference", "family", "at"),
    *("adapter", "loss", "spec_augment", "quantity"),
)
"""Columns that are text; so are those that end in ``_censored``."""


def read_tables(paths: Iterable[Path | str]) -> pd.DataFrame:
    """Read CSV files of one kind, one below the other; empty text stays empty."""
    tables = [read_table(path) for path in paths]
    # One without rows knows no types, and would take those of the others away.
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)


def read_table(path: Path | str, also_text: Collection[str] = ()) -> pd.DataFrame:
    """Read one CSV file of results; empty text stays empty, empty numbers become NaN.

    Parameters
    ----------
    path : path
    also_text : collection of str
        Columns that are text beside `TEXT`, whatever they look like.
    """
    columns = pd.read_csv(path, nrows=0).columns
    known = {*TEXT, *also_text}
    text = [name for name in columns if name in known or name.endswith("_censored")]
    # Text as it is: a variant may be called NA.
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(text, str),
        na_values={name: [""] for name in columns if name not in text},
        keep_default_na=False,
    )


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
        `THRESHOLDS`, in dB, each with ``_low``, ``_high`` and ``…_censored``; dev_auc, dev_auc_low
        and dev_auc_high.
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
    return row


def _with_interval(column: str, table: pd.DataFrame, metric: str) -> dict[str, Any]:
    at = table.loc[metric] if metric in table.index else pd.Series(dtype=float)
    return {
        column: at.get("value"),
        f"{column}_low": at.get("low"),
        f"{column}_high": at.get("high"),
    }


def latency(timed: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the latency table, one row a variant.

    Parameters
    ----------
    timed : mapping
        Content of ``latency/{variant}.json`` by variant.

    Returns
    -------
    DataFrame
        variant, latency_p50_ms and latency_p95_ms, each with ``_low`` and ``_high``, load_s,
        first_ms, p50 and p95 of each stage, throughput_clips_s, throughput_batch, peak memories
        (MiB), processor, gpus.
    """
    rows = []
    for variant, times in timed.items():
        stages = {
            f"{stage}_{quantile}": times["stages"][stage][quantile]
            for stage in times["stages"]
            for quantile in ("p50_ms", "p95_ms")
        }
        rows.append(
            {
                "variant": variant,
                "latency_p50_ms": times["latency"]["p50_ms"],
                "latency_p95_ms": times["latency"]["p95_ms"],
                **_quantile_intervals(times["clip_ms"]),
                "throughput_clips_s": times["throughput_clips_s"],
                "throughput_batch": times["throughput_batch"],
                "load_s": times["load_s"],
                "first_ms": times["first_ms"],
                "peak_memory_mib": times["peak_memory_mib"],
                "peak_gpu_memory_mib": times["peak_gpu_memory_mib"],
                "processor": times["hardware"]["processor"],
                "gpus": "; ".join(times["hardware"]["gpus"]),
                **stages,
            }
        )
    return pd.DataFrame(rows)


def _quantile_intervals(clip_ms: Sequence[float]) -> dict[str, float]:
    ends = {}
    for name, quantile in (("latency_p50_ms", 0.50), ("latency_p95_ms", 0.95)):
        ends[f"{name}_low"], ends[f"{name}_high"] = quantile_interval(clip_ms, quantile)
    return ends


def pareto(times: pd.DataFrame, matrix: pd.DataFrame) -> pd.DataFrame:
    """Return latency and balanced accuracy of each variant, fastest first, the frontier marked."""
    accuracy = ["variant", "balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high"]
    ends = [f"latency_p50_ms{end}" for end in ("", "_low", "_high")]
    points = times[["variant", *ends, "latency_p95_ms"]].merge(matrix[accuracy])
    points["on_frontier"] = frontier(
        points["latency_p50_ms"].tolist(), points["balanced_accuracy"].tolist()
    )
    return points.sort_values("latency_p50_ms", ignore_index=True)
