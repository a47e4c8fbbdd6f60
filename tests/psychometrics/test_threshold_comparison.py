"""Differences of thresholds: those of the thresholds table, with the truth in their intervals."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import binom

from speechdt.psychometrics.comparison import compare_thresholds
from speechdt.psychometrics.curve import SPREAD
from speechdt.psychometrics.thresholds import thresholds

SNRS = [-5.0, 0.0, 5.0, 10.0, 20.0]
SETTINGS = {"replicates": 400, "permutations": 199, "seed": 2}


def heard(location, *, width=10.0, guess=0.05, groups=20, items=10, seed=0, shift=2):
    """Trials of an observer, and catch trials; groups shift the location by 2 dB or so."""
    rng = np.random.default_rng(seed)
    shift = np.random.default_rng(99).normal(0, shift, groups)  # the same for every observer
    group, snr = (grid.ravel() for grid in np.meshgrid(range(groups), SNRS * items))
    psi = guess + (1 - guess) * ndtr(SPREAD * (snr - location - shift[group]) / width)
    names = [f"g{number}" for number in group]
    columns = {"group_id": names, "speech": True, "duration_ms": 200}
    trials = pd.DataFrame(columns | {"snr_db": snr, "decided": rng.random(len(snr)) < psi})
    quiet = pd.DataFrame({"group_id": [f"n{number}" for number in range(10)] * 40})
    silent = quiet.assign(decided=rng.random(len(quiet)) < guess, duration_ms=200)
    return trials, silent


def compared(pairs, **observers):
    trials = {name: of[0] for name, of in observers.items()}
    catch = {name: of[1] for name, of in observers.items()}
    return compare_thresholds(trials, catch, pairs, np.full(len(pairs), True), **SETTINGS)


def test_the_difference_is_that_of_the_thresholds_and_near_the_truth():
    good, bad = heard(2.0, seed=1), heard(6.0, seed=2)
    row = compared([("bad", "good")], good=good, bad=bad).iloc[0]
    of = []
    for trials, silent in (bad, good):
        extra = trials.assign(decided_far10=False, p_speech=0.5, item_id=trials.index.astype(str))
        both = pd.concat([extra, extra.assign(speech=False)])
        table, _ = thresholds(both, silent.assign(decided_far10=False), replicates=100, seed=2)
        of.append(table.set_index(["kind", "slice"]).loc[("detection", "all"), "dt75"])
    assert row["dt75_difference_db"] == pytest.approx(of[0] - of[1])
    assert row["dt75_difference_db_low"] <= 4 <= row["dt75_difference_db_high"]
    assert row["dt75_difference_db_high"] - row["dt75_difference_db_low"] < 4  # groups cancel
    assert row["dt75_p"] == row["dt75_p_holm"] == 1 / 200


def test_alike_observers_are_not_told_apart():
    table = compared([("a", "b"), ("a", "c")], a=heard(4, seed=1), b=heard(4, seed=2), c=heard(4))
    assert (table["dt75_p"] > 0.01).all()
    low, high = table["dt75_difference_db_low"], table["dt75_difference_db_high"]
    assert ((low < 0) & (high > 0)).all()
    assert (table["dt75_p_holm"] >= table["dt75_p"]).all()


def test_thresholds_beyond_the_range():
    observers = {"good": heard(2.0), "deaf": heard(40.0, seed=1), "deafer": heard(60.0, seed=2)}
    yes = heard(2.0, seed=3)
    observers["yes"] = (yes[0].assign(decided=True), yes[1].assign(decided=True))
    pairs = [("deaf", "good"), ("good", "deaf"), ("deafer", "deaf"), ("yes", "good")]
    table = compared(pairs, **observers)
    assert table["dt75_difference_censored"].tolist() == [">", "<", "undefined", "undefined"]
    assert table["dt75_difference_db"].isna().all()
    assert table["dt75_difference_db_low"][0] == np.inf
    assert table["dt75_p"].isna().tolist() == [False, False, True, True]
    assert table["dt75_p"][0] <= 0.05


def test_a_difference_without_a_size_is_tested_on_both_sides():
    # Three groups, all of whose answers differ: of eight exchanges, two leave whole variants.
    one, other = heard(2.0, groups=3), heard(60.0, groups=3, seed=1)
    table = compared([("one", "other"), ("other", "one")], one=one, other=other)
    assert table["dt75_difference_censored"].tolist() == ["<", ">"]
    assert table["dt75_p"].to_numpy() == pytest.approx(2 / 8, abs=0.08)


def test_what_training_owes_to_chance_is_in_the_interval():
    """Five runs that differ by 2 dB: simulated training, with the truth of the mean rates known.

    Without their spread, the intervals are those of one run and miss the truth far too often.
    """
    spread, width, guess, sims = 2.0, 10.0, 0.05, 60
    # averaging over normal shifts of the location widens the curve, and leaves it Gaussian
    z = ndtri((0.75 - guess) / (1 - guess)) / SPREAD
    truth = 4 + np.hypot(width, SPREAD * spread) * z - (4 + width * z)
    settings = {"replicates": 300, "permutations": 99}
    rng, covered = np.random.default_rng(8), np.zeros(2)
    for seed in range(sims):
        shifts = rng.normal(0, spread, 5)
        runs = [heard(4 + s, shift=0, seed=[seed, place]) for place, s in enumerate(shifts)]
        trials, catch = (
            pd.concat([run[part].assign(run=place) for place, run in enumerate(runs)])
            for part in (0, 1)
        )
        mean_of_runs = [
            of.assign(decided=of["decided"].astype(float)).groupby(level=0)["decided"].mean()
            for of in (trials, catch)
        ]
        once = [run.assign(decided=mean) for run, mean in zip(runs[0], mean_of_runs, strict=True)]
        rival = heard(4.0, shift=0, seed=[seed, 9])
        for place, of in enumerate(((trials, catch), once)):
            row = compare_thresholds(
                {"many": of[0], "rival": rival[0]},
                {"many": of[1], "rival": rival[1]},
                [("many", "rival")],
                np.array([False]),
                seed=seed,
                **settings,
            ).iloc[0]
            low, high = row["dt75_difference_db_low"], row["dt75_difference_db_high"]
            covered[place] += low <= truth <= high
    assert binom.ppf(1e-3, sims, 0.9) <= covered[0]
    assert covered[1] < binom.ppf(1e-3, sims, 0.9)
