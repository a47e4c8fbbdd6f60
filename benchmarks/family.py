"""False alarms of words of inference: families of detectors and prompts, all equally good.

Each simulation draws dev and test with a number of speech and of non-speech groups of 20 trials,
and nine variants that answer with scores of the same quality: groups differ in how hard they are,
for all variants and for each by itself, and with --bias the variants lean towards one class or the
other. Thresholds are chosen on dev. A family is wrong if a single word in it is:

- contrasts: gain or loss of pooled AUC in a planned contrast of the matrix (comparisons.csv);
- searches: gain or loss among three searches whose prompts are all as good as the baseline;
- verdict: supported or refuted of criteria whose bounds are the very truth, of balanced accuracy of
  each variant and of its difference to D2.

    python benchmarks/family.py --simulations 1000 --csv family.csv

It takes all cores unless told otherwise. A call goes on from the CSV of an earlier one with as many
simulations; so numbers of groups can be done one by one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr
from scipy.stats import beta

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from speechdt.prompts.comparison import PROMPTS, all_searches, compare_search
from speechdt.statistics.auc_comparison import compare_auc
from speechdt.statistics.comparison import compare, contrasts, holm_within
from speechdt.statistics.criterion import threshold_replicates
from speechdt.statistics.families import FAMILIES, interval_p, word
from speechdt.statistics.metrics import evaluate

VARIANTS = ("A1", "A2", "B1", "B2", "B3", "B4", "C1", "D1", "D2")
STEPS = [["A2", "A1"], ["B2", "B1"], ["B3", "B2"], ["B4", "B3"]]
TRIALS = 20  # of each group
SKILL, BY_GROUP, BY_VARIANT = 1.0, 0.5, 0.3  # of a score whose noise within groups is 1
SEARCHES = 3
WORDS = ("contrasts", "searches", "verdict")
COLUMNS = ("groups", "bias", "family", "n", "wrong", "low", "high")
TRUTH = float(ndtr(SKILL / np.sqrt(1 + BY_GROUP**2 + BY_VARIANT**2)))
NEITHER = {family.neither for family in FAMILIES.values()}


def simulate(
    rng: np.random.Generator, leans: dict[str, float], groups: int
) -> dict[str, pd.DataFrame]:
    """Return the trials of each variant; leans leave the order of its own scores as it is."""
    speech = np.repeat([True, False], groups)
    frame = pd.DataFrame({"group_id": np.repeat(np.arange(2 * groups).astype(str), TRIALS)})
    frame["speech"] = np.repeat(speech, TRIALS)
    frame["trial_id"] = frame["item_id"] = frame.index.astype(str)
    shared = rng.normal(0, BY_GROUP, 2 * groups)
    trials = {}
    for name, lean in leans.items():
        of_group = np.repeat(shared + rng.normal(0, BY_VARIANT, 2 * groups), TRIALS)
        evidence = SKILL * np.where(frame["speech"], 1, -1) + of_group
        z = evidence + rng.normal(size=len(frame)) + lean
        trials[name] = frame.assign(p_speech=expit(z), p_platt=0.5, p_temperature=0.5)
    return trials


def words(groups: int, bias: float, settings: dict[str, int], seed: int) -> list[bool]:
    """Return whether each of `WORDS` holds a wrong word."""
    rng = np.random.default_rng([groups, int(10 * bias), seed])
    settings = settings | {"seed": seed}
    resampled = {name: settings[name] for name in ("replicates", "seed")}
    leans = dict(zip(VARIANTS, rng.choice([-bias, bias], len(VARIANTS)), strict=True))
    dev, test = (simulate(rng, leans, groups) for _ in range(2))
    thresholds = {
        name: threshold_replicates(trials, rule="balanced", **resampled)[None]
        for name, trials in dev.items()
    }
    decided = {
        name: trials.assign(decided=trials["p_speech"] >= thresholds[name][0, 0])
        for name, trials in test.items()
    }
    planned = contrasts(VARIANTS, STEPS, "D2")
    table = compare(decided, thresholds, planned=planned, **settings)
    pairs = list(table[["variant", "reference"]].itertuples(index=False, name=None))
    areas = compare_auc(decided, pairs[:12], np.full(12, True), **settings)
    families = [
        areas["verdict"].tolist(),
        searched(rng, groups, settings),
        list(verdicts(decided, thresholds, table, resampled)),
    ]
    return [bool(set(of) - NEITHER) for of in families]


def searched(rng: np.random.Generator, groups: int, settings: dict[str, int]) -> list[str]:
    """Return the words about searches that found nothing."""
    tables = []
    for place in range(SEARCHES):
        parts = []
        for split in ("dev", "test"):
            simulated = simulate(rng, dict.fromkeys(PROMPTS, 0.0), groups)
            trials = simulated[PROMPTS[0]].assign(split=split)
            trials["label"] = np.where(trials["speech"], "SPEECH", "NONSPEECH")
            answers = {name: simulated[name]["p_speech"] for name in PROMPTS}
            parts.append(trials.assign(**answers).drop(columns="p_speech"))
        table = compare_search(pd.concat(parts, ignore_index=True), **settings)
        tables.append(table.assign(search=str(place)))
    return list(all_searches(tables)["verdict"])


def verdicts(
    decided: dict[str, pd.DataFrame],
    thresholds: dict[str, np.ndarray],
    table: pd.DataFrame,
    resampled: dict[str, int],
) -> Iterator[str]:
    """Yield the words about criteria whose bounds are the truth."""
    figures = []
    for name, trials in decided.items():
        metrics = evaluate(trials, thresholds[name], **resampled).set_index("metric")
        figures.append((*metrics.loc["balanced_accuracy", ["value", "low", "high"]], TRUTH))
    of_d2 = table[(table["family"] == "planned") & (table["reference"] == "D2")]
    for row in of_d2[["difference", "difference_low", "difference_high"]].to_numpy(float):
        figures.append((*row, 0.0))
    p = holm_within(np.array([interval_p(*one) for one in figures]), np.full(len(figures), True))
    for (value, _, _, bound), own in zip(figures, p, strict=True):
        yield word("verdict", value - bound, own)


def main() -> None:
    """Print how many families in a hundred are wrong, with an exact 95 % interval."""
    parser = argparse.ArgumentParser(description="wrong words among equals (see the file's head)")
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--groups", type=int, nargs="+", default=[13, 25, 50])
    parser.add_argument("--bias", type=float, nargs="+", default=[0.0, 1.0])
    parser.add_argument("--permutations", type=int, default=1999)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="default: all cores")
    parser.add_argument("--csv", type=Path, help="write the table here as well, row by row")
    given = parser.parse_args()
    settings = {"replicates": given.replicates, "permutations": given.permutations}
    n, rows = given.simulations, []
    if given.csv and given.csv.exists():
        rows = [row for row in pd.read_csv(given.csv).to_dict("records") if row["n"] == n]
    finished = {(row["groups"], row["bias"]) for row in rows}
    print(*(f"{name:>9}" for name in COLUMNS))
    for row in rows:
        print(*(f"{value!s:>9}" for value in row.values()))
    with ProcessPoolExecutor(given.processes) as pool:
        for groups, bias in product(given.groups, given.bias):
            if (groups, bias) in finished:
                continue
            outcomes = pool.map(partial(words, groups, bias, settings), range(n), chunksize=5)
            for name, wrong in zip(WORDS, np.array(list(outcomes)).sum(axis=0), strict=True):
                row = {"groups": groups, "bias": bias, "family": name} | rate(int(wrong), n)
                print(*(f"{value!s:>9}" for value in row.values()), flush=True)
                rows.append(row)
            if given.csv:
                pd.DataFrame(rows).to_csv(given.csv, index=False)


def rate(wrong: int, n: int) -> dict[str, float]:
    """Return a share in % with its exact interval."""
    low = beta.ppf(0.025, wrong, n - wrong + 1) if wrong else 0.0
    high = beta.ppf(0.975, wrong + 1, n - wrong)
    ends = [round(float(100 * value), 1) for value in (wrong / n, low, high)]
    return {"n": n} | dict(zip(COLUMNS[4:], ends, strict=True))


if __name__ == "__main__":
    main()
