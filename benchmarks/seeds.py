"""Movement of the bounds of matrix.csv with the seed of the bootstrap.

For each variant of a finished run, or each of some made detectors at chance, the intervals of
matrix.csv are computed with several seeds, thresholds chosen again on dev's groups in each. Printed
is by how much a bound differs at most from its mean over the seeds, in halves of the interval, of
which bound, and how many bounds exceed a tenth. An end beyond the tested range counts as its edge,
and, since nobody knows how far it reaches, the range as the interval.

    python benchmarks/seeds.py --results results
    python benchmarks/seeds.py --made 7
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from speechdt.detectors.decisions import decided_runs
from speechdt.psychometrics.steadied import MOST_BLOCKS
from speechdt.psychometrics.thresholds import thresholds
from speechdt.reporting.tables.matrix import matrix
from speechdt.statistics.calibration import calibrate
from speechdt.statistics.criterion import Thresholds, blocks_for, threshold_replicates
from speechdt.statistics.metrics import auc_interval, evaluate
from speechdt.trials.cells import CATCH

MOST = 0.10
"""In halves of an interval."""
Trials = tuple[pd.DataFrame, pd.DataFrame, list[float]]
"""Dev in noise, test (with clean and catch trials), and the SNRs of the plan."""


def of_run(folder: Path, run: str) -> Trials:
    """Return the trials of a run, with its scores and decisions."""

    def trials_of(split: str) -> pd.DataFrame:
        cells = sorted((folder / "trials" / split).glob("*_dur*.parquet"))
        scores = [folder / "scores" / run / split / cell.name for cell in cells]
        return decided_runs([run], cells, scores, [folder / "calibration" / f"{run}.json"])

    dev, test = trials_of("dev"), trials_of("test")
    planned = sorted(
        pd.read_csv(folder / "metrics" / f"{run}.csv").query("by == 'snr_db'")["level"]
    )
    plan = sorted({float(level) for level in planned})
    return dev[dev["snr_db"].isin(plan)], test, plan


def made(number: int) -> Trials:
    """Return trials of a detector whose scores say nothing, of 25 groups a class."""
    dev, test = (at_chance(2 * number + place) for place in range(2))
    learned = calibrate(dev["p_speech"], dev["speech"])
    decided = {"decided": learned.threshold, "decided_far10": learned.threshold_far10}
    for name, threshold in decided.items():
        test[name] = test["p_speech"] >= threshold
    return dev, test.assign(label="", snr_db=5.0, duration_ms=200), [5.0]


def at_chance(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = np.tile(np.arange(50), 30)
    z = rng.normal(0, 0.9, 1500) + rng.normal(0, 0.6, 50)[group]
    frame = pd.DataFrame(
        {"group_id": group, "speech": group < 25, "p_speech": 1 / (1 + np.exp(-z))}
    )
    return frame.assign(p_platt=0.5, p_temperature=0.5, item_id=frame.index)


def row(of: Trials, replicates: int, seed: int) -> pd.Series:
    """Return a row of matrix.csv."""
    dev, test, plan = of
    drawn: dict[str, Any] = {"replicates": replicates, "seed": seed}
    blocks = blocks_for(auc_interval(dev, **drawn)[1])
    balanced = threshold_replicates(dev, rule="balanced", blocks=blocks, **drawn)[None]
    far10 = threshold_replicates(dev, rule="far10", blocks=MOST_BLOCKS, **drawn)[None]
    parts = {"all": test[test["snr_db"].isin(plan)]}
    silent = test["label"] == CATCH
    clean = test[test["snr_db"].isna() & ~silent]
    parts |= {"clean": clean} if len(clean) else {}
    metrics = pd.concat(
        evaluate(part, balanced, blocks=blocks, **drawn).assign(by=by, n=len(part))
        for by, part in parts.items()
    )
    # All durations as one: curves of slices are in no row of the matrix.
    noisy = test[test["snr_db"].notna()].assign(duration_ms=1)
    wanted = ["background", "snr_speech_db"]
    criteria = Thresholds(balanced[:, : far10.shape[1]], far10)
    along, _ = thresholds(
        noisy.drop(columns=[name for name in wanted if name in noisy]),
        test[silent].assign(duration_ms=1),
        criteria=criteria,
        **drawn,
    )
    tables = (table.assign(variant="X") for table in (metrics, along))
    return matrix(*tables, {"X": {"backend": "", "model": ""}}, {"X": {}}).iloc[0]


def bounds(rows: pd.DataFrame, edges: tuple[float, float]) -> Iterator[tuple[str, float]]:
    """Yield by how much each bound moves at most, in halves of the mean interval."""
    for stem in (name.removesuffix("_low") for name in rows if name.endswith("_low")):
        ends = rows[[f"{stem}_low", f"{stem}_high"]].astype(float).to_numpy()
        open_ended = np.isinf(ends).any()
        if stem.endswith("_db"):
            ends = ends.clip(*edges)
        half = (ends[:, 1] - ends[:, 0]).mean() / 2
        if open_ended:  # how far it reaches is unknown
            half = (edges[1] - edges[0]) / 2
        if np.isnan(half) or not half:
            continue
        for place, end in enumerate(("low", "high")):
            moved = np.abs(ends[:, place] - ends[:, place].mean()).max()
            yield f"{stem}_{end}", float(moved / half)


def measured(name: str, of: Trials, replicates: int, seeds: int) -> str:
    """Return a line on a detector."""
    rows = pd.DataFrame(row(of, replicates, seed) for seed in range(1, seeds + 1))
    snrs = of[1]["snr_db"].dropna()
    moved = dict(bounds(rows, (snrs.min(), snrs.max())))
    worst = sorted(moved, key=lambda bound: -moved[bound])[:3]
    listed = ", ".join(f"{bound} {100 * moved[bound]:.1f}" for bound in worst)
    beyond = sum(value > MOST for value in moved.values())
    return f"{name:<10} {beyond:3} of {len(moved)} beyond 10 %; most (%): {listed}"


def of_name(folder: Path, name: str, replicates: int, seeds: int) -> str:
    trials = made(int(name)) if name.isdigit() else of_run(folder, name)
    return measured(f"made {name}" if name.isdigit() else name, trials, replicates, seeds)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--made", type=int, help="so many made detectors at chance instead")
    parser.add_argument("--only", nargs="+", help="variants")
    parser.add_argument("--replicates", type=int, default=4000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    variants = sorted(path.stem for path in arguments.results.glob("calibration/*.json"))
    if arguments.made:
        variants = [str(number) for number in range(arguments.made)]
    names = arguments.only or variants
    with ProcessPoolExecutor(arguments.workers) as pool:
        settings = (arguments.replicates, arguments.seeds)
        jobs = [pool.submit(of_name, arguments.results, name, *settings) for name in names]
        for job in jobs:
            print(job.result(), flush=True)


if __name__ == "__main__":
    main()
