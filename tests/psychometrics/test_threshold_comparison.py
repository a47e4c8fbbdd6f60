"""Differences of thresholds: those of the thresholds table, with the truth in their intervals."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from support.made_observers import simulate, threshold

from speechdt.psychometrics.comparison import compare_thresholds
from speechdt.psychometrics.thresholds import thresholds

SETTINGS = {"replicates": 200, "permutations": 199, "seed": 2}
FEW = (-10.0, -5.0, 0.0, 5.0, 10.0, 20.0)


def compared(pairs, **observers):
    trials = {name: of[0] for name, of in observers.items()}
    return compare_thresholds(trials, pairs, np.full(len(pairs), True), **SETTINGS)


def test_the_difference_is_that_of_the_thresholds_and_near_the_truth():
    good, bad = simulate(2.0, seed=1, snrs=FEW), simulate(6.0, seed=2, snrs=FEW)
    row = compared([("bad", "good")], good=good, bad=bad).iloc[0]
    of = []
    for trials, silent in (bad, good):
        table, _ = thresholds(trials.drop(columns="background"), silent, replicates=100, seed=2)
        of.append(
            table.set_index(["kind", "dimension", "slice"]).loc[("roc10", "snr", "all"), "dt75"]
        )
    assert row["dt75_difference_db"] == pytest.approx(of[0] - of[1])
    assert row["dt75_difference_db_low"] <= 4 <= row["dt75_difference_db_high"]
    assert row["dt75_difference_db_high"] - row["dt75_difference_db_low"] < 5  # groups cancel
    assert row["dt75_p"] == row["dt75_p_holm"] <= 2 / 200


def test_equal_hearing_with_another_criterion_is_no_difference():
    """At their own criteria they differ by what the model says; at 10 % false alarms not at all."""
    strict, eager = simulate(2.0, seed=1, criterion=2.0), simulate(2.0, seed=2, criterion=0.3)
    row = compared([("strict", "eager")], strict=strict, eager=eager).iloc[0]
    assert row["dt75_difference_db_low"] < 0 < row["dt75_difference_db_high"]
    assert abs(row["dt75_difference_db"]) < 1.2
    assert row["dt75_p"] > 0.01
    own = []
    for (trials, silent), guess in ((strict, 0.0228), (eager, 0.3821)):
        table, _ = thresholds(trials.drop(columns="background"), silent, replicates=100, seed=2)
        detection = table.set_index(["kind", "dimension", "slice"]).loc[("detection", "snr", "all")]
        assert detection["false_alarms"] == pytest.approx(guess, abs=0.02)
        own.append((detection["dt75"], threshold(2.0, np.hypot(12, 3.29 * 2), guess=guess)))
    (one, true_one), (other, true_other) = own
    assert one - other == pytest.approx(true_one - true_other, abs=0.8)
    assert true_one - true_other > 1.5


def test_a_map_that_keeps_the_order_changes_nothing():
    one, other = simulate(2.0, seed=1, snrs=FEW), simulate(4.0, seed=2, snrs=FEW)
    mapped = one[0].assign(p_speech=one[0]["p_speech"] ** 3 / 2, decided=True)
    table = compared([("b", "a"), ("b", "c")], a=one, b=other, c=(mapped, one[1]))
    pd.testing.assert_series_equal(table.loc[0], table.loc[1], check_names=False, rtol=1e-9)


def test_alike_observers_are_not_told_apart():
    observers = {"a": simulate(4, seed=1, snrs=FEW), "b": simulate(4, seed=2, snrs=FEW)}
    table = compared([("a", "b"), ("a", "c")], c=simulate(4, snrs=FEW), **observers)
    assert (table["dt75_p"] > 0.01).all()
    low, high = table["dt75_difference_db_low"], table["dt75_difference_db_high"]
    assert ((low < 0) & (high > 0)).all()
    assert (table["dt75_p_holm"] >= table["dt75_p"]).all()


def test_thresholds_beyond_the_range():
    observers = {
        "good": simulate(2.0),
        "deaf": simulate(60.0, seed=1),
        "deafer": simulate(80.0, seed=2),
    }
    pairs = [("deaf", "good"), ("good", "deaf"), ("deafer", "deaf")]
    table = compared(pairs, **observers)
    assert table["dt75_difference_censored"].tolist() == [">", "<", "undefined"]
    assert table["dt75_difference_db"].isna().all()
    assert table["dt75_difference_db_low"][0] == np.inf
    assert table["dt75_p"].isna().tolist() == [False, False, True]
    assert table["dt75_p"][0] <= 0.1


def test_too_few_clips_of_nonspeech_define_no_difference():
    few = simulate(2.0, groups=9, items=20)
    table = compared([("a", "b")], a=few, b=simulate(9.0, groups=9, items=20, seed=1))
    assert table["dt75_difference_censored"].tolist() == ["undefined"]


def test_equal_observers_are_rarely_told_apart():
    """Twenty pairs of observers of equal hearing and different criteria: p is uniform, roughly."""
    p_values = []
    for seed in range(20):
        one, other = (
            simulate(
                2.0, criterion=at, groups=12, items=9, seed=[seed, number], snrs=(-5.0, 5.0, 15.0)
            )
            for number, at in enumerate((0.5, 1.5))
        )
        table = compare_thresholds(
            {"a": one[0], "b": other[0]},
            [("a", "b")],
            np.array([True]),
            replicates=100,
            permutations=99,
            seed=seed,
        )
        p_values.append(table["dt75_p"][0])
    assert (np.array(p_values) <= 0.1).sum() <= binom.ppf(0.999, 20, 0.1)
    assert np.mean(p_values) > 0.3


def test_what_training_owes_to_chance_is_in_the_interval():
    """Five runs that differ by 2 dB are less sure than one run heard five times."""
    shifts = np.random.default_rng(8).normal(0, 3.0, 5)
    runs = [simulate(4 + s, shift=0, seed=[1, n], snrs=FEW)[0] for n, s in enumerate(shifts)]
    many = pd.concat([run.assign(run=place) for place, run in enumerate(runs)])
    same = pd.concat([runs[0].assign(run=place) for place in range(5)])
    rival = simulate(4.0, shift=0, seed=9, snrs=FEW)[0]
    widths = []
    for of in (many, same, runs[0]):
        row = compare_thresholds(
            {"many": of, "rival": rival}, [("many", "rival")], np.array([True]), **SETTINGS
        ).iloc[0]
        widths.append(row["dt75_difference_db_high"] - row["dt75_difference_db_low"])
    assert widths[0] > 1.2 * widths[1]
    assert widths[1] == pytest.approx(widths[2], rel=1e-6)
