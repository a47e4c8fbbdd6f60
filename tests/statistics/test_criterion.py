"""The decision threshold in each replicate, against thresholds chosen one by one."""

import numpy as np
import pandas as pd
import pytest

from speechdt.statistics import bootstrap
from speechdt.statistics.calibration import calibrate
from speechdt.statistics.criterion import (
    HALF,
    NEVER,
    candidates,
    threshold_replicates,
    yes_counts,
)


def made_dev(rng, groups=6, trials=8):
    speech = np.repeat([True, False], groups * trials)
    group = np.repeat(np.arange(2 * groups), trials)
    p = rng.normal(np.where(speech, 0.6, 0.4) + rng.normal(0, 0.1, 2 * groups)[group], 0.15)
    return pd.DataFrame(
        {"speech": speech, "group_id": group.astype(str), "p_speech": np.clip(p.round(2), 0, 1)}
    )


def replicated(dev, weights, codes):
    """Return dev as a replicate has it, each trial as often as its group was drawn."""
    smallest = weights[weights > 0].min()
    times = np.round(weights[codes] / smallest).astype(int)
    return dev.loc[dev.index.repeat(times)]


def rates(dev, threshold):
    yes = dev["p_speech"] >= threshold
    return yes[dev["speech"]].mean(), yes[~dev["speech"]].mean()


def test_the_first_row_is_that_of_the_calibration(rng):
    dev = made_dev(rng)
    learned = calibrate(dev["p_speech"], dev["speech"])
    for rule, threshold in (("balanced", learned.threshold), ("far10", learned.threshold_far10)):
        thresholds = threshold_replicates(dev, rule=rule, replicates=20, seed=3)
        assert thresholds.shape == (21,)
        assert thresholds[0] == threshold
        assert len(np.unique(thresholds)) > 1


def test_each_replicate_chooses_what_its_own_trials_would(rng):
    dev = made_dev(rng)
    codes, of_speech, _ = bootstrap.groups_by_class(dev["speech"], dev["group_id"])
    weights = bootstrap.weights(of_speech, 30, 3, draws="dev")
    balanced = threshold_replicates(dev, rule="balanced", replicates=30, seed=3)
    far10 = threshold_replicates(dev, rule="far10", replicates=30, seed=3)
    for row, own, strict in zip(weights, balanced, far10, strict=True):
        part = replicated(dev, row, codes)
        alone = calibrate(part["p_speech"], part["speech"])
        hit, false_alarm = rates(part, own)
        best = np.subtract(*rates(part, alone.threshold))
        assert hit - false_alarm == pytest.approx(best, abs=1e-9)
        assert rates(part, strict) == pytest.approx(rates(part, alone.threshold_far10))


def test_where_no_threshold_is_better_neither_side_is_taken():
    speech = np.repeat([True, False], 10)
    for always in (0.0, 0.3, 1.0):
        dev = pd.DataFrame(
            {"speech": speech, "group_id": np.arange(20).astype(str), "p_speech": always}
        )
        balanced = threshold_replicates(dev, rule="balanced", replicates=5, seed=0)
        assert (balanced == HALF).all()
        far10 = threshold_replicates(dev, rule="far10", replicates=5, seed=0)
        assert (far10 >= max(always, HALF)).all()


def test_yes_counts_are_those_of_each_threshold(rng):
    p, codes = rng.random(200).round(2), rng.integers(0, 7, 200)
    thresholds = np.r_[rng.choice(p, 5), 0.0, NEVER, rng.random(10), 0.5, 0.5]
    values = rng.random(200)
    counts = yes_counts(p, codes, 7, thresholds)
    sums = yes_counts(p, codes, 7, thresholds, values)
    assert counts.shape == (19, 7)
    for row, total, threshold in zip(counts, sums, thresholds, strict=True):
        yes = p >= threshold
        assert row.tolist() == np.bincount(codes[yes], minlength=7).tolist()
        assert total == pytest.approx(np.bincount(codes, values * yes, 7))


def test_candidates_part_neighbouring_floats():
    p = np.array([0.25, np.nextafter(0.25, 1), 1.0])
    decisions = p >= candidates(p)[:, None]
    assert decisions.sum(axis=1).tolist() == [3, 2, 1, 0]


def test_groups_of_dev_and_training_runs_are_drawn_apart_from_those_of_test():
    names = ("test", "dev", "runs")
    drawn = [bootstrap.group_weights(np.zeros(5), 50, 1, draws=name) for name in names]
    assert not np.array_equal(drawn[0], drawn[1])
    runs = bootstrap.over_runs(np.tile(np.eye(5)[:, None], (1, 51, 1)), 1)[1:] * 5
    assert not np.allclose(runs, drawn[0])
    assert np.allclose(runs, drawn[2])
