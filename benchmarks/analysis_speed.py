"""How long does the analysis take? CPU time of each step on as many trials as the default run has.

Simulated detectors, 100 items a class in 13 speech and 53 non-speech groups, at 5 SNRs and 4
durations, with catch trials. CPU time, on one thread, since another program on the machine then
matters less; two cores take about half of the sum.

    OMP_NUM_THREADS=1 python benchmarks/analysis_speed.py --replicates 1000 2000
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from speechdt.comparison import compare, contrasts
from speechdt.slices import by_slice
from speechdt.surface import surface
from speechdt.threshold_comparison import compare_thresholds
from speechdt.thresholds import thresholds

VARIANTS = ("A1", "A2", "B1", "B2", "B3", "B4", "C1", "D1", "D2")
STEPS = [["A2", "A1"], ["B2", "B1"], ["B3", "B2"], ["B4", "B3"]]
SNRS, DURATIONS, ITEMS = (-5.0, 0.0, 5.0, 10.0, 20.0), (200, 300, 500, 1000), 100
GROUPS = {True: 13, False: 53}


def heard(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return trials in noise and catch trials of a detector."""
    rng = np.random.default_rng(seed)
    rows = [
        (speech, f"{speech}{item}", f"{speech}{item % GROUPS[speech]}", snr, ms)
        for speech in (True, False)
        for item in range(ITEMS)
        for snr in SNRS
        for ms in DURATIONS
    ]
    names = ["speech", "item_id", "group_id", "snr_db", "duration_ms"]
    trials = pd.DataFrame(rows, columns=names)
    audible = 0.25 * trials["snr_db"] + 2 * np.log10(trials["duration_ms"] / 300)
    evidence = np.where(trials["speech"], audible, -2) + rng.normal(0, 1.5, len(trials))
    p = expit(evidence)
    trials = trials.assign(
        trial_id=trials.index.astype(str),
        category=np.where(trials["speech"], "speech", "music"),
        p_speech=p,
        p_temperature=p,
        p_platt=p,
        decided=p >= 0.4,
        decided_far10=p >= 0.6,
    )
    catch = pd.DataFrame({"duration_ms": np.tile(DURATIONS, 200)})
    catch["group_id"] = [f"c{place % 20}" for place in range(len(catch))]
    decided = rng.random(len(catch)) < 0.05
    return trials, catch.assign(decided=decided, decided_far10=decided)


def seconds(step: Callable[[], Any]) -> float:
    """Return the CPU time of a step."""
    start = time.process_time()
    step()
    return time.process_time() - start


def main() -> None:
    """Print CPU seconds of each step, and of nine variants."""
    parser = argparse.ArgumentParser(description="CPU time of the analysis")
    parser.add_argument("--replicates", type=int, nargs="+", default=[1000, 2000])
    parser.add_argument("--permutations", type=int, default=10_000)
    arguments = parser.parse_args()
    runs = {variant: heard(seed) for seed, variant in enumerate(VARIANTS)}
    trials, catch = ({name: of[part] for name, of in runs.items()} for part in (0, 1))
    planned = contrasts(VARIANTS, STEPS, "D2")
    first, silent = runs["A1"]
    for replicates in arguments.replicates:
        settings: dict[str, Any] = {"replicates": replicates, "seed": 1}
        tests = settings | {"permutations": arguments.permutations}
        each = {
            "metrics of a variant": lambda s=settings: by_slice(first, **s),
            "its curves and thresholds": lambda s=settings: thresholds(first, silent, **s),
            "its surface": lambda s=settings: surface(first, silent, **s),
        }
        once = {
            "comparison of all pairs": lambda t=tests: compare(trials, planned=planned, **t),
            "DT75 of planned contrasts": lambda t=tests: compare_thresholds(
                trials, catch, planned, np.full(len(planned), True), **t
            ),
        }
        print(f"{replicates} replicates: CPU seconds")
        total = 0.0
        for times, steps in ((len(VARIANTS), each), (1, once)):
            for name, step in steps.items():
                took = seconds(step)
                total += times * took
                print(f"  {name:<28} {took:7.1f}", flush=True)
        print(f"  {len(VARIANTS)} variants in all{'':<12} {total:7.1f}", flush=True)


if __name__ == "__main__":
    main()
