"""Time of the analysis of a matrix, with as many trials as the default run has.

Nine simulated detectors, 150 items a class in 18 speech and 83 non-speech groups, at 5 SNRs and 4
durations, at 4 SNRs more for the curves, in 5 backgrounds, with catch trials. All steps of all
detectors are done, by as many processes as --workers says, each on one thread, as the workflow's
jobs are. Printed are the CPU time of each step, which other programs on the machine matter less to,
and the time on the clock of the whole.

    python benchmarks/analysis_speed.py --replicates 4000 --workers 2
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from speechdt.psychometrics.comparison import compare_thresholds
from speechdt.psychometrics.surface import surface
from speechdt.psychometrics.thresholds import thresholds
from speechdt.statistics.comparison import compare, contrasts
from speechdt.statistics.criterion import Thresholds
from speechdt.statistics.slices import by_slice

VARIANTS = ("A1", "A2", "B1", "B2", "B3", "B4", "C1", "D1", "D2")
STEPS = [["A2", "A1"], ["B2", "B1"], ["B3", "B2"], ["B4", "B3"]]
SNRS, DURATIONS, ITEMS = (-5.0, 0.0, 5.0, 10.0, 20.0), (200, 300, 500, 1000), 150
CURVE = (-20.0, -15.0, -10.0, *SNRS, 15.0)  # curves are fitted over these
BACKGROUNDS = {"white": 0.2, "pink": -0.3, "brown": 7.4, "speech_shaped": 0.0, "recording": 1.5}
GROUPS = {True: 18, False: 83}
PLANNED = contrasts(VARIANTS, STEPS, "D2")


def simulate(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return trials in noise and catch trials of a detector."""
    rng = np.random.default_rng(seed)
    rows = [
        (speech, f"{speech}{item}", f"{speech}{item % GROUPS[speech]}", snr, ms)
        for speech in (True, False)
        for item in range(ITEMS)
        for snr in CURVE
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
    colors = list(BACKGROUNDS)
    trials["background"] = [colors[name % 5] for name in pd.factorize(trials["item_id"])[0]]
    trials["snr_speech_db"] = trials["snr_db"] + trials["background"].map(BACKGROUNDS)
    catch = pd.DataFrame({"duration_ms": np.tile(DURATIONS, 200)})
    catch["group_id"] = [f"c{place % 20}" for place in range(len(catch))]
    catch["background"] = np.resize(colors, len(catch))
    score = expit(rng.normal(-2, 1.5, len(catch)))
    return trials, catch.assign(p_speech=score, decided=score >= 0.4, decided_far10=score >= 0.6)


def criteria_of(seed: int, replicates: int) -> Thresholds:
    """Return decision thresholds that differ by replicate."""
    drawn = np.random.default_rng(seed).normal(0, 0.03, (1, replicates + 1))
    return Thresholds(0.4 + drawn, 0.6 + drawn)


def measure_one(seed: int, settings: dict[str, Any]) -> dict[str, float]:
    """Return the CPU seconds of each step that concerns one detector."""
    trials, catch = simulate(seed)
    curves = settings | {"criteria": criteria_of(seed, settings["replicates"])}
    return {
        "metrics of the variants": seconds(by_slice, planned(trials), **settings),
        "their curves and thresholds": seconds(thresholds, trials, catch, plan=SNRS, **curves),
        "their surfaces": seconds(surface, trials, catch, **curves),
    }


def planned(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the trials at the plan's levels."""
    return trials[trials["snr_db"].isin(SNRS)]


def compare_all(settings: dict[str, Any]) -> dict[str, float]:
    """Return the CPU seconds of the comparison of all pairs."""
    trials = {variant: planned(simulate(seed)[0]) for seed, variant in enumerate(VARIANTS)}
    return {"comparison of all pairs": seconds(compare, trials, planned=PLANNED, **settings)}


def compare_planned(settings: dict[str, Any]) -> dict[str, float]:
    """Return the CPU seconds of the DT75 differences of the planned contrasts."""
    trials = {variant: simulate(seed)[0] for seed, variant in enumerate(VARIANTS)}
    every = np.full(len(PLANNED), True)
    took = seconds(compare_thresholds, trials, PLANNED, every, **settings)
    return {"DT75 of planned contrasts": took}


def seconds(step: Any, *arguments: Any, **settings: Any) -> float:
    """Return the CPU time of a step."""
    start = time.process_time()
    step(*arguments, **settings)
    return time.process_time() - start


def main() -> None:
    """Print CPU seconds of each step, and the time on the clock of all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replicates", type=int, nargs="+", default=[4000])
    parser.add_argument("--permutations", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    arguments = parser.parse_args()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"  # of the processes, which import NumPy themselves
    for replicates in arguments.replicates:
        settings: dict[str, Any] = {"replicates": replicates, "seed": 1}
        tests = settings | {"permutations": arguments.permutations}
        start = time.perf_counter()
        with ProcessPoolExecutor(
            arguments.workers, mp_context=multiprocessing.get_context("spawn")
        ) as pool:
            jobs: list[Future[dict[str, float]]] = [
                pool.submit(compare_planned, tests),
                pool.submit(compare_all, tests),
                *(pool.submit(measure_one, seed, settings) for seed in range(len(VARIANTS))),
            ]
            took: dict[str, float] = {}
            for job in jobs:
                for step, cpu in job.result().items():
                    took[step] = took.get(step, 0.0) + cpu
        clock = time.perf_counter() - start
        print(f"{replicates} replicates, {len(VARIANTS)} variants: CPU seconds")
        for step, cpu in (took | {"all": sum(took.values())}).items():
            print(f"  {step:<28} {cpu:7.1f}")
        print(f"  {clock:.1f} s on the clock with {arguments.workers} processes", flush=True)


if __name__ == "__main__":
    main()
