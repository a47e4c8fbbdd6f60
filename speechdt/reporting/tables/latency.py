"""Tables of latency and of the accuracy-latency frontier."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import quantile_test

BUSY = 0.1
"""Share of a machine's cores: where others keep more of them at work, a time is doubtful."""


def quantile_interval(values: ArrayLike, quantile: float) -> tuple[float, float]:
    """Return the 95 % interval of a quantile, two of the values themselves.

    How many values lie below the true quantile is binomial, whatever their distribution (David &
    Nagaraja 2003, section 7.1). It says how sure the clips make the quantile on this machine at
    this time; another machine has another quantile. A bound that no value is far enough out for is
    infinite.
    """
    tested = quantile_test(np.asarray(values, dtype=np.float64), p=quantile)
    interval: Any = tested.confidence_interval()  # its stub says that bounds are one float
    low, high = float(interval.low), float(interval.high)
    return (-np.inf if np.isnan(low) else low, np.inf if np.isnan(high) else high)


def frontier(latency_ms: Sequence[float], accuracy: Sequence[float]) -> NDArray[np.bool_]:
    """Mark the Pareto frontier: no other point is as fast and as accurate, and better in one.

    Parameters
    ----------
    latency_ms, accuracy : sequences of float, (points,)

    Returns
    -------
    bool array, (points,)
    """
    slow, good = np.asarray(latency_ms), np.asarray(accuracy)
    no_slower = slow[None, :] <= slow[:, None]
    no_worse = good[None, :] >= good[:, None]
    better = (slow[None, :] < slow[:, None]) | (good[None, :] > good[:, None])
    return np.asarray(~(no_slower & no_worse & better).any(axis=1))


def doubts(timed: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Say by variant why its time is not to be trusted beside the others', '' if it is.

    Parameters
    ----------
    timed : mapping
        Content of ``latency/{variant}.json`` by variant.
    """
    machines = {variant: _machine(times["hardware"]) for variant, times in timed.items()}
    usual, _ = Counter(machines.values()).most_common(1)[0] if machines else ("", 0)
    by_variant = {}
    for variant, times in timed.items():
        reasons = [_busy(times.get("load"))]
        if machines[variant] != usual:
            reasons.append(f"timed on another machine: {machines[variant]}")
        by_variant[variant] = "; ".join(filter(None, reasons))
    return by_variant


def _machine(hardware: Mapping[str, Any]) -> str:
    return "; ".join([f"{hardware['processor']}, {hardware['cores']} cores", *hardware["gpus"]])


def _busy(load: Mapping[str, float] | None) -> str:
    if load is None:
        return "what else the machine did was not measured"
    for when, called in (("during", "during the timing"), ("before", "right before")):
        others = load[f"others_{when}"]
        if others > BUSY * load["cores"]:
            return f"others kept {others:.1f} of {load['cores']:g} cores at work {called}"
    return ""


def latency(timed: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the latency table, one row a variant.

    Parameters
    ----------
    timed : mapping
        Content of ``latency/{variant}.json`` by variant.

    Returns
    -------
    DataFrame
        variant, latency_p50_ms and latency_p95_ms, each with ``_low`` and ``_high``; trusted, and
        doubt: why not; cpu_p50_ms and cpu_p95_ms of detectors on a processor; others_before and
        others_during, cores that others kept at work, of cores; load_s, first_ms, p50 and p95 of
        each stage, throughput_clips_s, throughput_batch, peak memories (MiB), processor, gpus.
    """
    rows = []
    doubt = doubts(timed)
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
                "trusted": not doubt[variant],
                "doubt": doubt[variant],
                **_cpu_and_load(times),
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


def _cpu_and_load(times: Mapping[str, Any]) -> dict[str, float]:
    cpu, load = times.get("cpu_ms") or {}, times.get("load") or {}
    return {
        "cpu_p50_ms": cpu.get("p50_ms", np.nan),
        "cpu_p95_ms": cpu.get("p95_ms", np.nan),
        "others_before": load.get("others_before", np.nan),
        "others_during": load.get("others_during", np.nan),
        "cores": load.get("cores", np.nan),
    }


def _quantile_intervals(clip_ms: Sequence[float]) -> dict[str, float]:
    ends = {}
    for name, quantile in (("latency_p50_ms", 0.50), ("latency_p95_ms", 0.95)):
        ends[f"{name}_low"], ends[f"{name}_high"] = quantile_interval(clip_ms, quantile)
    return ends


def pareto(times: pd.DataFrame, matrix: pd.DataFrame) -> pd.DataFrame:
    """Return latency and balanced accuracy of each variant, fastest first, the frontier marked.

    ``trusted`` says whether the time is one that can be quoted (:func:`doubts`).
    """
    accuracy = ["variant", "balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high"]
    ends = [f"latency_p50_ms{end}" for end in ("", "_low", "_high")]
    points = times[["variant", *ends, "latency_p95_ms", "trusted"]].merge(matrix[accuracy])
    points["on_frontier"] = frontier(
        points["latency_p50_ms"].tolist(), points["balanced_accuracy"].tolist()
    )
    return points.sort_values("latency_p50_ms", ignore_index=True)
