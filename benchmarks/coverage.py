"""Coverage of 95 % intervals: simulated detectors, grouped trials, known truth.

Each simulation draws a dev and a test set, each with 100 speech and 100 non-speech items in a
number of groups, and plays every item at five SNRs to a detector and to a rival that hears 1.5 dB
less. Both answer with scores. Their thresholds are chosen on dev, and again in every replicate; the
intervals asked for are those of balanced accuracy, of its difference to the rival, of the
difference of pooled AUC, and of DT75 at 10 % false alarms (roc10).

Groups (speakers, families of noises) shift what is heard of all their items: normally, by Student's
t with three degrees of freedom, or skewed (a few are much harder), always with the same variance.
Group sizes are equal, or as unequal as draws of an exponential distribution. The truth is that of a
very large population.

A last part asks for the interval of a rate of which one group in ten has none and all others all:
what 13 speakers without an error say of the next.

    python benchmarks/coverage.py --simulations 1000 --csv coverage.csv

It takes all cores unless told otherwise, and gives the same figures whatever their number. A call
goes on from the CSV of an earlier one with as many simulations and replicates; so cells can be done
one by one (`--effects normal --sizes equal --groups 13`), and a call that was cut off is not lost.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, product
from pathlib import Path
from typing import NamedTuple

# Each process is one thread: many small products of matrices would only get into each other's way.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, ndtr
from scipy.stats import beta

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from speechdt.psychometrics import matched_hits
from speechdt.psychometrics.curve import SPREAD, fit
from speechdt.statistics import bootstrap
from speechdt.statistics.criterion import chosen, threshold_replicates, yes_counts
from speechdt.statistics.limits import of_rate
from speechdt.statistics.metrics import Groups
from speechdt.statistics.threshold_variance import through_thresholds

Floats = NDArray[np.float64]

LEVELS = np.array([-10.0, -5.0, 0.0, 5.0, 10.0])
ITEMS = 100  # a class
LOCATION, WIDTH, RIVAL = 0.0, 14.0, 1.5  # dB
BY_GROUP, BY_ITEM = 3.0, 3.0  # standard deviations of what shifts hearing, in dB
AUDIBLE = 4.0  # distance of clear speech from noise, in standard deviations of the score
NOISE_BY_GROUP, NOISE_BY_ITEM = 0.5, 0.3  # of non-speech, in the same unit
SHARED = 0.5  # of the variance of a score, that the rival has as well
GUESS, PROPORTION = matched_hits.FALSE_ALARMS, 0.75
EFFECTS, SIZES = ("normal", "t3", "skewed"), ("equal", "unequal")
METRICS = ("balanced accuracy", "difference", "AUC difference", "roc10 DT75")
BAD = 0.1  # share of groups without a right answer
PERFECT, BAD_GROUPS = "rate, 10 % bad groups", ("bad groups", "equal")
COLUMNS = ("effects", "sizes", "groups", "metric", "n", "truth", "bias", "width", "covered")
COLUMNS += ("from", "to", "below", "above", "replicates")
POPULATION = 40_000  # groups
AT_A_TIME = 5  # simulations that a process makes before it hands them over


def effects(rng: np.random.Generator, kind: str, count: int) -> Floats:
    """Draw effects of groups, of mean 0 and variance 1."""
    if kind == "t3":
        return rng.standard_t(3, count) / np.sqrt(3)
    if kind == "skewed":
        return rng.exponential(size=count) - 1  # dB that are missing: a long tail of hard groups
    return rng.standard_normal(count)


def sizes(rng: np.random.Generator, kind: str, groups: int, items: int) -> NDArray[np.intp]:
    """Draw the group of each item, no group being empty."""
    if kind == "equal":
        return np.arange(items) % groups
    share = rng.exponential(size=groups)
    extra = rng.choice(groups, items - groups, p=share / share.sum())
    return np.concatenate([np.arange(groups), extra])


def play(
    rng: np.random.Generator, effect: str, size: str, groups: int, items: int = ITEMS
) -> pd.DataFrame:
    """Return the trials of all items at all levels, with the scores of both detectors."""
    parts = []
    for speech in (True, False):
        group = sizes(rng, size, groups, items)
        of_group, of_item = effects(rng, effect, groups)[group], rng.standard_normal(items)
        own: Floats = rng.standard_normal((2, items, len(LEVELS)))
        own[1] = np.sqrt(SHARED) * own[0] + np.sqrt(1 - SHARED) * own[1]
        if speech:
            shift = (BY_GROUP * of_group + BY_ITEM * of_item)[:, None]
            for place, extra in enumerate((0.0, RIVAL)):
                z = SPREAD * (LEVELS - LOCATION - extra - shift) / WIDTH
                own[place] += AUDIBLE * ndtr(z)
        else:
            own += (NOISE_BY_GROUP * of_group + NOISE_BY_ITEM * of_item)[:, None]
        names = {"one": expit(own[0] - 1.5).ravel(), "other": expit(own[1] - 1.5).ravel()}
        frame = pd.DataFrame({"group_id": np.repeat(group, len(LEVELS)) + speech * groups} | names)
        parts.append(frame.assign(speech=speech, level=np.tile(np.arange(len(LEVELS)), items)))
    return pd.concat(parts, ignore_index=True)


def of_name(trials: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the trials with the scores of one detector, as the library has them."""
    return trials.assign(p_speech=trials[name], p_platt=0.5, decided=False)


def metrics(test: pd.DataFrame, weights: Floats, thresholds: dict[str, Floats]) -> Floats:
    """Return `METRICS` under each row of weights, (rows, 4)."""
    codes, of_speech, names = bootstrap.groups_by_class(test["speech"], test["group_id"])
    count = np.bincount(codes, minlength=len(names)).astype(float)
    right, area = {}, {}
    for name, own in thresholds.items():
        yes = yes_counts(test[name], codes, len(names), own)
        right[name] = np.where(of_speech, yes, count - yes)
        area[name] = Groups(of_name(test, name)).auc(weights)
    drawn = weights * right["one"]
    accuracy = sum(
        drawn[:, of].sum(1) / (weights[:, of] @ count[of]) / 2 for of in (of_speech, ~of_speech)
    )
    gained = right["one"] - right["other"]
    difference = bootstrap.balanced(weights, of_speech, gained[:1].T, count)[:, 0]
    if len(weights) > 1:
        difference = difference + through_thresholds(gained, of_speech, count)
    dt75 = threshold_at_matched(test, codes, weights)
    return np.stack([accuracy, difference, area["one"] - area["other"], dt75], axis=1)


def threshold_at_matched(test: pd.DataFrame, codes: NDArray[np.int64], weights: Floats) -> Floats:
    """Return DT75 of the hit rate at 10 % false alarms of each level, (rows,)."""
    p, speech, level = (test[name].to_numpy() for name in ("one", "speech", "level"))
    rates, asked = [], []
    for place in range(len(LEVELS)):
        no, yes = ((level == place) & (speech == of) for of in (False, True))
        at = matched_hits.criterion(p[no], codes[no], weights)
        rates.append(matched_hits.hits(at, p[yes], codes[yes], weights))
        asked.append(np.full(len(weights), float(yes.sum())))
    trials = np.stack(asked, axis=1)
    curves = fit(
        LEVELS, np.stack(rates, axis=1) * trials, trials, guess=np.full(len(trials), GUESS)
    )
    return curves.extended_threshold(PROPORTION)


def true_metrics(effect: str) -> Floats:
    """Return `METRICS` of a population so large that nothing is uncertain."""
    trials = play(np.random.default_rng(1), effect, "equal", POPULATION, POPULATION)
    speech = trials["speech"].to_numpy()
    alike, codes = np.ones((1, 2)), speech.astype(np.int64)
    thresholds = {
        name: chosen(trials[name], speech, "balanced", codes, alike) for name in ("one", "other")
    }
    # Of one group a class: the metrics of the trials themselves.
    return metrics(trials.assign(group_id=codes), alike, thresholds)[0]


class Task(NamedTuple):
    """Some simulations of one setting."""

    effect: str
    size: str
    groups: int
    seeds: range
    replicates: int


def simulations(task: Task) -> Floats:
    """Return point, low and high of each of `METRICS`, (seeds, 4, 3)."""
    estimates = []
    for seed in task.seeds:
        rng = np.random.default_rng([task.groups, seed, *f"{task.effect}{task.size}".encode()])
        dev, test = (play(rng, task.effect, task.size, task.groups) for _ in range(2))
        settings = {"replicates": task.replicates, "seed": seed}
        thresholds = {
            name: threshold_replicates(of_name(dev, name), rule="balanced", **settings)
            for name in ("one", "other")
        }
        of_speech = np.repeat([False, True], task.groups)
        values = metrics(test, bootstrap.weights(of_speech, **settings), thresholds)
        ends = bootstrap.interval(values[0], values[1:], task.groups)
        estimates.append(np.stack([values[0], *ends], axis=1))
    return np.array(estimates)


def perfect(groups: int, count: int, replicates: int) -> Iterator[dict[str, object]]:
    """Yield the row of a rate that is 1 in nine groups of ten, and 0 in the tenth."""
    estimates = []
    for seed in range(count):
        rng = np.random.default_rng([groups, seed])
        right = (rng.random(groups) >= BAD).astype(float)
        values = bootstrap.weights(np.zeros(groups), replicates, seed) @ right / groups
        ends = np.clip(bootstrap.interval(values[0], values[1:], groups), 0, 1)
        estimates.append([[values[0], *of_rate(float(values[0]), *ends, groups)]])
    for row in summary((*BAD_GROUPS, groups), [1 - BAD], [PERFECT], np.array(estimates)):
        yield row | {"replicates": replicates}


def summary(
    setting: tuple[str, str, int], truths: Iterable[float], names: Iterable[str], estimates: Floats
) -> Iterator[dict[str, object]]:
    """Yield a row of the table for each metric, from all simulations (n, metrics, 3)."""
    for metric, truth, results in zip(names, truths, np.moveaxis(estimates, 1, 0), strict=True):
        point, low, high = results.T
        n, finite = len(results), np.isfinite(point)
        below, above = int((truth < low).sum()), int((truth > high).sum())
        inside = n - below - above
        yield {
            **dict(zip(("effects", "sizes", "groups"), setting, strict=True)),
            "metric": metric,
            "n": n,
            "truth": round(float(truth), 3),
            "bias": round(float(point[finite].mean() - truth), 3),
            "width": round(float(np.median(high - low)), 3),
            "covered": round(100 * inside / n, 1),
            "from": round(100 * exact(inside, n, 0.025), 1),
            "to": round(100 * exact(inside, n, 0.975), 1),
            "below": round(100 * below / n, 1),
            "above": round(100 * above / n, 1),
        }


def coverage(tasks: list[Task], processes: int) -> Iterator[dict[str, object]]:
    """Yield the rows of each setting as soon as it is done."""
    split = [
        [
            task._replace(seeds=task.seeds[start : start + AT_A_TIME])
            for start in range(0, len(task.seeds), AT_A_TIME)
        ]
        for task in tasks
    ]
    truths = {effect: true_metrics(effect) for effect in {task.effect for task in tasks}}
    with ProcessPoolExecutor(processes) as pool:
        results = pool.map(simulations, [part for parts in split for part in parts])
        for task, parts in zip(tasks, split, strict=True):
            estimates = np.concatenate(list(islice(results, len(parts))))
            for row in summary(task[:3], truths[task.effect], METRICS, estimates):
                yield row | {"replicates": task.replicates}


def exact(count: int, of: int, tail: float) -> float:
    """One bound of the Clopper-Pearson interval of a proportion."""
    if (count == 0 and tail < 0.5) or (count == of and tail > 0.5):
        return float(count == of)
    upper = int(tail > 0.5)
    return float(beta.ppf(tail, count + upper, of - count + 1 - upper))


def line(cells: Iterable[object]) -> str:
    """One line of the table."""
    widths = 10, 8, 6, 22
    return " ".join(f"{cell!s:>{widths[i] if i < 4 else 7}}" for i, cell in enumerate(cells))


def main() -> None:
    """Print the table of coverage, one row as soon as it is known."""
    parser = argparse.ArgumentParser(description="coverage of 95 % intervals (see the file's head)")
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--groups", type=int, nargs="+", default=[13, 25, 50])
    parser.add_argument("--effects", nargs="+", choices=EFFECTS, default=list(EFFECTS))
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="default: all cores")
    parser.add_argument("--csv", type=Path, help="write the table here as well, row by row")
    given = parser.parse_args()

    begun, asked = time.perf_counter(), (given.simulations, given.replicates)
    rows = kept(given.csv, asked) if given.csv else []
    finished = {(row["effects"], row["sizes"], int(str(row["groups"]))) for row in rows}
    print("'covered' is in % with its own 95 % interval; the truth is 'below' or 'above' the rest")
    print(line(COLUMNS))
    for row in rows:
        print(line(row.values()))
    tasks = [
        Task(*setting, range(given.simulations), given.replicates)
        for setting in product(given.effects, given.sizes, given.groups)
        if setting not in finished
    ]
    certain = (
        row
        for groups in given.groups
        if (*BAD_GROUPS, groups) not in finished
        for row in perfect(groups, *asked)
    )
    for source in (certain, coverage(tasks, given.processes)):
        for row in source:
            print(line(row.values()), flush=True)
            rows.append(row)
            if given.csv:
                write(given.csv, rows)
    print(f"{time.perf_counter() - begun:.0f} s")


def kept(path: Path, asked: tuple[int, int]) -> list[dict[str, object]]:
    """Return the rows of an earlier call with as many simulations and replicates."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [
            dict(row)
            for row in csv.DictReader(file)
            if (int(row["n"]), int(row["replicates"])) == asked
        ]


def write(path: Path, rows: list[dict[str, object]]) -> None:
    """Write the table so far: a run that is cut off leaves what it found."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
