"""Tables of latency and resources as text."""

import math
import re
from functools import partial

import pandas as pd

from speechdt.reporting.tables.formatting import MISSING, Row, number, significant, text_table

LATENCY_NOTE = (
    "Milliseconds a clip, median (95th percentile), one clip at a time on a warm detector. "
    "Stages are medians of their own and need not add up to the total. CPU: time that processors "
    "were at work for a detector without a GPU, which waiting for others does not lengthen."
)
RESOURCES_NOTE = (
    "Clips/s at the best batch size. Peak memory of the process that timed the detector. Frontier: "
    "no other variant is both faster and more accurate."
)
DOUBTED = "¶"
"""Marks a time that is not to be trusted; another sign than those of skill."""
OTHERS = r"others kept ([\d.]+) of"
"""How a doubt says how many cores others kept at work."""
STAGES = ("decode", "features", "forward", "post", "other")
"""Stages of latency in the order in which a clip passes them."""


def latency_table(latency: pd.DataFrame) -> pd.DataFrame:
    """Return median and 95th percentile of each stage and of the whole, in ms."""
    end = "_p50_ms"
    stages = [str(name).removesuffix(end) for name in latency if str(name).endswith(end)]
    for other in ("latency", "cpu"):
        stages.remove(other)
    stages.sort(key=lambda stage: STAGES.index(stage) if stage in STAGES else STAGES.index("post"))
    cells = {stage.capitalize(): partial(_spread, name=stage) for stage in stages}
    return text_table(
        latency,
        {
            "Variant": lambda row: str(row["variant"]),
            **cells,
            "Total": lambda row: marked(_spread(row, "latency"), row["trusted"]),
            "CPU": partial(_spread, name="cpu"),
            "Interval of the median": lambda row: (
                f"[{significant(row['latency_p50_ms_low'])}, "
                f"{significant(row['latency_p50_ms_high'])}]"
            ),
        },
    )


def marked(text: str, trusted: object) -> str:
    """Return a time or the name of its variant, with a mark where it is not to be trusted."""
    return f"{text} {DOUBTED}" if trusted is False or trusted == 0 else text


def doubt_notes(latency: pd.DataFrame) -> list[str]:
    """Return a line for each reason not to trust times, with the variants that it is of."""
    doubted = latency[~latency["trusted"].astype(bool)]
    reasons = doubted["doubt"].astype(str)
    busy = reasons.str.extract(OTHERS, expand=False).astype(float)
    lines = []
    for _, alike in doubted.groupby(reasons.str.replace(OTHERS, "", regex=True), sort=False):
        others, why = busy[alike.index], str(alike["doubt"].iloc[0])
        if others.min() < others.max():
            span = f"others kept {others.min():g} to {others.max():g} of"
            why = re.sub(OTHERS, span, why)
        named = ", ".join(alike["variant"])
        lines.append(
            f"{named} {DOUBTED}: {'times' if len(alike) > 1 else 'time'} not to be trusted, {why}."
        )
    return lines


def _spread(row: Row, name: str) -> str:
    p50, p95 = (row[f"{name}_p50_ms"], row[f"{name}_p95_ms"])
    return MISSING if math.isnan(p50) else f"{significant(p50)} ({significant(p95)})"


def resources_table(latency: pd.DataFrame, pareto: pd.DataFrame) -> pd.DataFrame:
    """Return throughput, time to load, memory, and whether a variant is on the frontier."""
    return text_table(
        latency.merge(pareto[["variant", "on_frontier"]], on="variant", how="left"),
        {
            "Variant": lambda row: str(row["variant"]),
            "Clips/s": lambda row: significant(row["throughput_clips_s"]),
            "at batch": lambda row: number(row["throughput_batch"], 0),
            "Load (s)": lambda row: number(row["load_s"], 2),
            "First clip (ms)": lambda row: significant(row["first_ms"]),
            "Memory (MiB)": lambda row: number(row["peak_memory_mib"], 0),
            "GPU memory (MiB)": lambda row: number(row["peak_gpu_memory_mib"], 0),
            "Frontier": lambda row: "yes" if row["on_frontier"] else "no",
        },
    )
