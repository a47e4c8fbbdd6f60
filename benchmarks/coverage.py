"""How often do 95 % intervals cover the truth? Simulated observers, grouped trials, known truth.

Each simulation draws 100 speech and 100 non-speech items in a number of groups, plays every item at
five SNRs and four durations, estimates the guess rate from catch trials, and asks the library for
the intervals of DT75 (pooled over durations), of balanced accuracy, and of the difference in
balanced accuracy to a second observer that hears the same trials. Groups (speakers) and items
shift the location, groups also change the lapse rate and the tendency to false alarms.

The truth is that of the population: the level at which psi, averaged over groups, items and
durations, reaches 0.75. The averaged curve is not a cumulative Gaussian of the same width, so the
average is computed by numerical integration.

    python benchmarks/coverage.py --simulations 500 --groups 13 25 50
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import beta

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from speechdt.bootstrap import group_weights, interval
from speechdt.psychometric import SPREAD, fit

Floats = NDArray[np.float64]

LEVELS = np.array([-5.0, 0.0, 5.0, 10.0, 20.0])
DURATION_SHIFT = np.array([2.0, 1.0, -0.5, -2.5])  # dB of location at 200, 300, 500 and 1000 ms
ITEMS = 100  # a class
CONCENTRATION = 20.0  # of the beta distributions of lapse and guess rates over groups
PROPORTION = 0.75


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
        return Observer(
            self.location + self.rival_shift,
            self.width,
            self.guess,
            self.lapse,
            self.by_group,
            self.by_item,
            self.false_alarms + 0.2,
            self.false_alarms_by_group,
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


# -------------------------------------------------------------------------------------- simulation


@dataclass(frozen=True)
class Trials:
    """Counts a group: of "speech" at each level for both observers, and for the average one."""

    hits: Floats  # (observers, groups, levels)
    speech: Floats  # (groups, levels)
    rejections: Floats  # (observers, groups)
    nonspeech: Floats  # (groups,)
    catch_yes: Floats  # (catch groups,), of the first observer
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
    return Trials(
        hits=summed(heard.sum(2), groups),
        speech=np.repeat(size[:, None] * float(durations), LEVELS.size, axis=1),
        rejections=summed(rng.binomial(cells, 1 - alarms), groups),
        nonspeech=size * float(cells),
        catch_yes=rng.binomial(catch, beta_rates(rng, observer.guess, catch_group)).astype(float),
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


def metrics(trials: Trials, weights: Floats) -> dict[str, Floats]:
    """Return each metric under each row of weights; groups are speech, non-speech, catch."""
    speech, nonspeech, catch = np.split(
        weights, np.cumsum([len(trials.speech), len(trials.nonspeech)]), axis=1
    )
    guess = (catch @ trials.catch_yes) / (catch @ trials.catch)
    curve = fit(LEVELS, speech @ trials.hits[0], speech @ trials.speech, guess=guess)
    hits = (speech @ trials.hits.sum(-1).T).T / (speech @ trials.speech.sum(-1))
    rejected = (nonspeech @ trials.rejections.T).T / (nonspeech @ trials.nonspeech)
    accuracy = (hits + rejected) / 2
    return {
        "dt75": curve.extended_threshold(PROPORTION),
        "balanced accuracy": accuracy[0],
        "difference": accuracy[0] - accuracy[1],
    }


def bounds(method: str, values: Floats, groups: int) -> tuple[float, float]:
    """95 % interval of a metric whose first value is the point."""
    if method == "corrected":
        low, high = interval(values[0], values[1:], groups)
    else:
        ordered = np.sort(values[1:])
        rank = int(len(values) * 0.025)
        low, high = ordered[rank - 1], ordered[-rank]
    return float(low), float(high)


def coverage(
    name: str, groups: int, simulations: int, replicates: int, method: str
) -> Iterator[dict[str, object]]:
    """Yield a row of results for each metric of an observer with a number of groups."""
    observer, rng = OBSERVERS[name], np.random.default_rng([groups, *name.encode()])
    truth = {
        "dt75": true_threshold(observer),
        "balanced accuracy": true_balanced_accuracy(observer),
        "difference": true_balanced_accuracy(observer) - true_balanced_accuracy(observer.shifted()),
    }
    found: dict[str, list[tuple[float, float, float]]] = {metric: [] for metric in truth}
    for seed in range(simulations):
        trials = simulate(rng, observer, groups)
        weights = weights_of(method, [groups, groups, len(trials.catch)], replicates, seed)
        for metric, values in metrics(trials, weights).items():
            found[metric].append((float(values[0]), *bounds(method, values, groups)))
    for metric, rows in found.items():
        point, low, high = np.array(rows).T
        inside = int(((low <= truth[metric]) & (truth[metric] <= high)).sum())
        finite = np.isfinite(point)
        yield {
            "method": method,
            "observer": name,
            "groups": groups,
            "metric": metric,
            "truth": round(truth[metric], 3),
            "bias": round(float(point[finite].mean() - truth[metric]), 3),
            "sd": round(float(point[finite].std()), 3),
            "width": round(float(np.median(high - low)), 3),
            "covered": round(100 * inside / simulations, 1),
            "from": round(100 * exact(inside, simulations, 0.025), 1),
            "to": round(100 * exact(inside, simulations, 0.975), 1),
            "below": round(100 * float((truth[metric] < low).mean()), 1),
            "above": round(100 * float((truth[metric] > high).mean()), 1),
        }


def exact(count: int, of: int, tail: float) -> float:
    """One bound of the Clopper-Pearson interval of a proportion."""
    if (count == 0 and tail < 0.5) or (count == of and tail > 0.5):
        return float(count == of)
    upper = int(tail > 0.5)
    return float(beta.ppf(tail, count + upper, of - count + 1 - upper))


def line(cells: Iterable[object]) -> str:
    """One line of the table."""
    widths = 9, 9, 6, 17
    return " ".join(f"{cell!s:>{widths[i] if i < 4 else 7}}" for i, cell in enumerate(cells))


def main() -> None:
    """Print the table of coverage, one row as soon as it is known."""
    parser = argparse.ArgumentParser(description="coverage of 95 % intervals (see the file's head)")
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--groups", type=int, nargs="+", default=[13, 25, 50])
    parser.add_argument("--observers", nargs="+", choices=OBSERVERS, default=list(OBSERVERS))
    parser.add_argument("--replicates", type=int, default=600, help="the workflow uses 1,000")
    parser.add_argument(
        "--method", choices=["corrected", "plain"], default="corrected", help="plain: percentiles"
    )
    parser.add_argument("--csv", type=Path, help="write the table here as well")
    arguments = parser.parse_args()

    begun, rows = time.perf_counter(), []
    print("'covered' is in % with its own 95 % interval; the truth is 'below' or 'above' the rest")
    for name in arguments.observers:
        for groups in arguments.groups:
            for row in coverage(
                name, groups, arguments.simulations, arguments.replicates, arguments.method
            ):
                if not rows:
                    print(line(row.keys()))
                print(line(row.values()), flush=True)
                rows.append(row)
    print(f"{time.perf_counter() - begun:.0f} s")
    if arguments.csv:
        with arguments.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
