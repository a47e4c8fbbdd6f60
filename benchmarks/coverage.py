"""How often do 95 % intervals cover the truth? Simulated observers, grouped trials, known truth.

Each simulation draws 100 speech and 100 non-speech items in a number of groups, plays every item at
five SNRs and four durations, estimates the guess rate from catch trials, and asks the library for
the intervals of DT75 (pooled over durations), of balanced accuracy, and of the differences in both
to a second observer that hears the same trials. Groups (speakers) and items shift the location,
groups also change the lapse rate and the tendency to false alarms.

The truth is that of the population: the level at which psi, averaged over groups, items and
durations, reaches 0.75. The averaged curve is not a cumulative Gaussian of the same width, so the
average is computed by numerical integration. A bound that is unknown excludes nothing.

    python benchmarks/coverage.py --simulations 1000 --groups 13 25 50 --csv coverage.csv

It needs numpy and scipy alone, takes all cores unless told otherwise, and gives the same figures
whatever their number.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
import types
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

# Each process is one thread: many small products of matrices would only get into each other's way.
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import beta

# The package itself imports what plugins need; its statistics do without.
if "speechdt" not in sys.modules:
    package = types.ModuleType("speechdt")
    package.__path__ = [str(Path(__file__).resolve().parents[1] / "speechdt")]
    sys.modules["speechdt"] = package

from speechdt.psychometrics.curve import SPREAD, fit
from speechdt.statistics.bootstrap import group_weights, interval

Floats = NDArray[np.float64]

LEVELS = np.array([-5.0, 0.0, 5.0, 10.0, 20.0])
DURATION_SHIFT = np.array([2.0, 1.0, -0.5, -2.5])  # dB of location at 200, 300, 500 and 1000 ms
ITEMS = 100  # a class
CONCENTRATION = 20.0  # of the beta distributions of lapse and guess rates over groups
PROPORTION = 0.75
AT_A_TIME = 10  # simulations that a process makes before it hands them over
METRICS = ("dt75", "balanced accuracy", "difference", "dt75 difference")


@dataclass(frozen=True)
class Observer:
    """A detector in the population of groups: means, and standard deviations over groups (dB)."""

    location: float
    width: float
    guess: float
    lapse: float
    by_group: float
    by_item: float
    false_alarms: float = -1.2  # probit of the rate for the average non-speech group
    false_alarms_by_group: float = 0.5
    rival_shift: float = 1.5  # dB that the second observer is worse

    def shifted(self) -> Observer:
        """Return the second observer."""
        return replace(
            self,
            location=self.location + self.rival_shift,
            false_alarms=self.false_alarms + 0.2,
        )


OBSERVERS = {
    "easy": Observer(0, 8, guess=0.02, lapse=0.03, by_group=2, by_item=2),
    "hard": Observer(9, 15, guess=0.05, lapse=0.08, by_group=3, by_item=3),
    "alike": Observer(4, 12, guess=0.05, lapse=0.05, by_group=0.5, by_item=1),
    "clustered": Observer(4, 12, guess=0.05, lapse=0.05, by_group=5, by_item=3),
    "eager": Observer(4, 12, guess=0.3, lapse=0.05, by_group=3, by_item=3, false_alarms=0.0),
}


# ------------------------------------------------------------------------------------------- truth


def population_psi(observer: Observer, x: float) -> float:
    """Psi at a level, averaged over groups, items and durations."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    shift = np.hypot(observer.by_group, observer.by_item) * nodes
    location = observer.location + DURATION_SHIFT[:, None] + shift
    heard = ndtr(SPREAD * (x - location) / observer.width).mean(0) @ weights / weights.sum()
    return float(observer.guess + (1 - observer.guess - observer.lapse) * heard)


def true_threshold(observer: Observer) -> float:
    """Level at which the population reaches the proportion."""
    return float(brentq(lambda x: population_psi(observer, x) - PROPORTION, -40, 60))


def true_balanced_accuracy(observer: Observer) -> float:
    """Mean of the population's hit rate over the levels and its rate of correct rejections."""
    hits = np.mean([population_psi(observer, x) for x in LEVELS])
    deviation = np.hypot(1, observer.false_alarms_by_group)
    return float((hits + ndtr(-observer.false_alarms / deviation)) / 2)


def true_metrics(observer: Observer) -> Floats:
    """What the population has of each of `METRICS`."""
    own, rival = (
        np.array([true_threshold(of), true_balanced_accuracy(of)])
        for of in (observer, observer.shifted())
    )
    return np.concatenate([own, (own - rival)[::-1]])


# -------------------------------------------------------------------------------------- simulation


@dataclass(frozen=True)
class Trials:
    """Counts a group, for an observer and its rival."""

    hits: Floats  # (observers, groups, levels)
    speech: Floats  # (groups, levels)
    rejections: Floats  # (observers, groups)
    nonspeech: Floats  # (groups,)
    catch_yes: Floats  # (observers, catch groups)
    catch: Floats  # (catch groups,)


def members(groups: int) -> NDArray[np.intp]:
    """Group of each item, as even as can be."""
    return np.sort(np.arange(ITEMS) % groups)


def summed(counts: NDArray[np.int_], groups: int) -> Floats:
    """Sum (observers, items, ...) over the items of each group."""
    total = np.zeros((groups, *counts.shape[:1], *counts.shape[2:]))
    np.add.at(total, members(groups), np.moveaxis(counts, 1, 0))
    return np.moveaxis(total, 0, 1)


def simulate(rng: np.random.Generator, observer: Observer, groups: int) -> Trials:
    """Play all trials to an observer and to its rival, which share the groups and the items."""
    group, durations = members(groups), DURATION_SHIFT.size
    size = np.bincount(group, minlength=groups)
    pair = (observer, observer.shifted())

    shift = (observer.by_group * rng.standard_normal(groups))[group]
    shift = shift + observer.by_item * rng.standard_normal(ITEMS)
    lapse = beta_rates(rng, observer.lapse, groups)[group]
    location = np.array([o.location for o in pair])[:, None, None] + shift[:, None]
    z = SPREAD * (LEVELS - (location + DURATION_SHIFT)[..., None]) / observer.width
    rise = (1 - observer.guess - lapse)[:, None, None]
    heard = rng.random(z.shape) < observer.guess + rise * ndtr(z)

    tendency = observer.false_alarms_by_group * rng.standard_normal(groups)[group]
    alarms = ndtr(np.array([o.false_alarms for o in pair])[:, None] + tendency)
    cells = LEVELS.size * durations

    catch_group = max(groups // 2, 5)
    catch = np.full(catch_group, 2 * ITEMS * durations // catch_group)
    guesses = beta_rates(rng, observer.guess, catch_group)
    return Trials(
        hits=summed(heard.sum(2), groups),
        speech=np.repeat(size[:, None] * float(durations), LEVELS.size, axis=1),
        rejections=summed(rng.binomial(cells, 1 - alarms), groups),
        nonspeech=size * float(cells),
        catch_yes=rng.binomial(catch, guesses, (2, catch_group)).astype(float),
        catch=catch.astype(float),
    )


def beta_rates(rng: np.random.Generator, mean: float, groups: int) -> Floats:
    """Rates of groups around a mean."""
    return rng.beta(mean * CONCENTRATION, (1 - mean) * CONCENTRATION, groups)


# --------------------------------------------------------------------------------------- intervals


def weights_of(method: str, strata: list[int], replicates: int, seed: int) -> Floats:
    """Weights with a first row of ones, which gives the metrics themselves."""
    if method == "corrected":
        drawn = group_weights(np.repeat(np.arange(len(strata)), strata), replicates, seed)
    else:
        rng = np.random.default_rng(seed)
        parts = [rng.multinomial(n, np.full(n, 1 / n), size=replicates) for n in strata]
        drawn = np.concatenate(parts, axis=1).astype(float)
    return np.concatenate([np.ones((1, drawn.shape[1])), drawn])


def metrics(trials: Trials, weights: Floats) -> Floats:
    """Return `METRICS` under each row of weights, which are of speech, non-speech and catch."""
    speech, nonspeech, catch = np.split(
        weights, np.cumsum([len(trials.speech), len(trials.nonspeech)]), axis=1
    )
    guess = (catch @ trials.catch_yes.T).T / (catch @ trials.catch)
    asked = speech @ trials.speech
    dt75 = [
        fit(LEVELS, speech @ yes, asked, guess=rate).extended_threshold(PROPORTION)
        for yes, rate in zip(trials.hits, guess, strict=True)
    ]
    hits = (speech @ trials.hits.sum(-1).T).T / (speech @ trials.speech.sum(-1))
    rejected = (nonspeech @ trials.rejections.T).T / (nonspeech @ trials.nonspeech)
    accuracy = (hits + rejected) / 2
    with np.errstate(invalid="ignore"):  # both beyond the same end of the range
        apart = dt75[0] - dt75[1]
    return np.stack([dt75[0], accuracy[0], accuracy[0] - accuracy[1], apart], axis=1)


def bounds(method: str, values: Floats, groups: int) -> tuple[Floats, Floats]:
    """95 % intervals of metrics whose first row is the point."""
    if method == "corrected":
        return interval(values[0], values[1:], groups)
    ordered = np.sort(values[1:], axis=0)
    rank = int(len(values) * 0.025)
    return ordered[rank - 1], ordered[-rank]


class Task(NamedTuple):
    """Some simulations of one observer."""

    observer: str
    groups: int
    seeds: range
    replicates: int
    method: str


def simulations(task: Task) -> Floats:
    """Return point, low and high of each of `METRICS`, (seeds, 4, 3)."""
    found = []
    for seed in task.seeds:
        rng = np.random.default_rng([task.groups, seed, *task.observer.encode()])
        trials = simulate(rng, OBSERVERS[task.observer], task.groups)
        strata = [task.groups, task.groups, len(trials.catch)]
        values = metrics(trials, weights_of(task.method, strata, task.replicates, seed))
        found.append(np.stack([values[0], *bounds(task.method, values, task.groups)], axis=1))
    return np.array(found)


def summary(task: Task, found: Floats) -> Iterator[dict[str, object]]:
    """Yield a row of the table for each metric, from all simulations (n, 4, 3) of a setting."""
    truths = true_metrics(OBSERVERS[task.observer])
    for metric, truth, results in zip(METRICS, truths, np.moveaxis(found, 1, 0), strict=True):
        point, low, high = results.T
        n, finite = len(results), np.isfinite(point)
        below, above = int((truth < low).sum()), int((truth > high).sum())
        inside = n - below - above
        yield {
            "method": task.method,
            "observer": task.observer,
            "groups": task.groups,
            "metric": metric,
            "simulations": n,
            "truth": round(float(truth), 3),
            "bias": round(float(point[finite].mean() - truth), 3) if finite.any() else "",
            "sd": round(float(point[finite].std()), 3) if finite.any() else "",
            "width": round(float(np.median(high - low)), 3),
            "covered": round(100 * inside / n, 1),
            "from": round(100 * exact(inside, n, 0.025), 1),
            "to": round(100 * exact(inside, n, 0.975), 1),
            "below": round(100 * below / n, 1),
            "above": round(100 * above / n, 1),
        }


def coverage(settings: list[Task], processes: int) -> Iterator[dict[str, object]]:
    """Yield the rows of each setting as soon as it is done."""
    split = [
        [
            task._replace(seeds=task.seeds[start : start + AT_A_TIME])
            for start in range(0, len(task.seeds), AT_A_TIME)
        ]
        for task in settings
    ]
    with ProcessPoolExecutor(processes) as pool:
        results = pool.map(simulations, [part for parts in split for part in parts])
        for task, parts in zip(settings, split, strict=True):
            yield from summary(task, np.concatenate(list(islice(results, len(parts)))))


def exact(count: int, of: int, tail: float) -> float:
    """One bound of the Clopper-Pearson interval of a proportion."""
    if (count == 0 and tail < 0.5) or (count == of and tail > 0.5):
        return float(count == of)
    upper = int(tail > 0.5)
    return float(beta.ppf(tail, count + upper, of - count + 1 - upper))


def line(cells: Iterable[object]) -> str:
    """One line of the table."""
    widths = 9, 9, 6, 17, 11
    return " ".join(f"{cell!s:>{widths[i] if i < 5 else 7}}" for i, cell in enumerate(cells))


def main() -> None:
    """Print the table of coverage, one row as soon as it is known."""
    parser = argparse.ArgumentParser(description="coverage of 95 % intervals (see the file's head)")
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--groups", type=int, nargs="+", default=[13, 25, 50])
    parser.add_argument("--observers", nargs="+", choices=OBSERVERS, default=list(OBSERVERS))
    parser.add_argument("--replicates", type=int, default=1000, help="as many as the workflow")
    parser.add_argument(
        "--method", choices=["corrected", "plain"], default="corrected", help="plain: percentiles"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="default: all cores")
    parser.add_argument("--csv", type=Path, help="write the table here as well, row by row")
    chosen = parser.parse_args()

    begun = time.perf_counter()
    print("'covered' is in % with its own 95 % interval; the truth is 'below' or 'above' the rest")
    settings = [
        Task(name, groups, range(chosen.simulations), chosen.replicates, chosen.method)
        for name in chosen.observers
        for groups in chosen.groups
    ]
    rows: list[dict[str, object]] = []
    for row in coverage(settings, chosen.processes):
        if not rows:
            print(line(row.keys()))
        print(line(row.values()), flush=True)
        rows.append(row)
        if chosen.csv:
            write(chosen.csv, rows)
    print(f"{time.perf_counter() - begun:.0f} s")


def write(path: Path, rows: list[dict[str, object]]) -> None:
    """Write the table so far: a run that is cut off leaves what it found."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
