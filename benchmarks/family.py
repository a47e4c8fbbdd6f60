"""How often does a family of comparisons cry wolf? Nine variants that are equally good.

Each simulation draws speech and non-speech groups with 40 trials each, and nine variants of the
same balanced accuracy: groups differ in how hard they are, for all variants and for each by itself,
and with --bias the variants differ in what they lean towards, gaining on one class what they lose
on the other. The planned contrasts of the matrix are tested and corrected; a family is wrong if any
of its p-values is at most 0.05.

    python benchmarks/family.py --simulations 1000 --groups 13 25 50
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import beta

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from speechdt.statistics.comparison import compare, contrasts

VARIANTS = ("A1", "A2", "B1", "B2", "B3", "B4", "C1", "D1", "D2")
STEPS = [["A2", "A1"], ["B2", "B1"], ["B3", "B2"], ["B4", "B3"]]
TRIALS = 40  # of each group


def simulate(rng: np.random.Generator, groups: int, bias: float) -> dict[str, pd.DataFrame]:
    """Return the decided trials of each variant; logits of a right decision add up."""
    speech = np.repeat([True, False], groups)
    shared = rng.normal(0, 0.8, 2 * groups)
    names = [f"{'s' if of else 'n'}{place}" for place, of in enumerate(speech)]
    frame = pd.DataFrame(
        {"group_id": np.repeat(names, TRIALS), "speech": np.repeat(speech, TRIALS)}
    )
    frame["trial_id"] = frame.index.astype(str)
    heard = {}
    for variant in VARIANTS:
        leans = rng.choice([-bias, bias])
        # symmetric about a rate of one half, so that a lean leaves balanced accuracy as it is
        logit = shared * np.where(speech, 1, -1) + rng.normal(0, 0.5, 2 * groups)
        rate = 1 / (1 + np.exp(-(logit + np.where(speech, leans, -leans))))
        right = rng.random(len(frame)) < np.repeat(rate, TRIALS)
        heard[variant] = frame.assign(decided=frame["speech"].to_numpy() == right)
    return heard


def wrong_families(groups: int, bias: float, simulations: int, permutations: int) -> int:
    """Count the families with a significant contrast."""
    rng = np.random.default_rng([groups, int(10 * bias)])
    planned, wrong = contrasts(VARIANTS, STEPS, "D2"), 0
    settings = {"planned": planned, "replicates": 100, "permutations": permutations}
    for seed in range(simulations):
        table = compare(simulate(rng, groups, bias), seed=seed, **settings)
        wrong += bool((table["p_holm"] <= 0.05).any())
    return wrong


def main() -> None:
    """Print how many families are wrong, with an exact interval."""
    parser = argparse.ArgumentParser(description="false positives of the planned family")
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--groups", type=int, nargs="+", default=[13, 25, 50])
    parser.add_argument("--bias", type=float, nargs="+", default=[0.0, 1.0])
    parser.add_argument("--permutations", type=int, default=1999)
    arguments = parser.parse_args()
    print("groups   bias   wrong families (%) with their 95 % interval")
    for groups in arguments.groups:
        for bias in arguments.bias:
            n = arguments.simulations
            wrong = wrong_families(groups, bias, n, arguments.permutations)
            low = beta.ppf(0.025, wrong, n - wrong + 1) if wrong else 0.0
            high = beta.ppf(0.975, wrong + 1, n - wrong)
            rate, ends = 100 * wrong / n, f"[{100 * low:.1f}, {100 * high:.1f}]"
            print(f"{groups:>6} {bias:>6} {rate:>7.1f} {ends}", flush=True)


if __name__ == "__main__":
    main()
