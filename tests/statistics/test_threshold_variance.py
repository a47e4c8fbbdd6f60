"""Choosing thresholds again adds nothing to a difference by chance alone, and all that holds."""

import numpy as np
import pandas as pd
import pytest

from speechdt.statistics import bootstrap
from speechdt.statistics.comparison import compare
from speechdt.statistics.criterion import threshold_replicates, yes_counts
from speechdt.statistics.threshold_variance import through_thresholds

SPEECH = np.arange(40) >= 20
SIZES = np.full(40, 10.0)


def test_the_same_thresholds_add_nothing():
    right = np.broadcast_to(np.arange(40.0), (101, 40))
    assert not through_thresholds(right, SPEECH, SIZES).any()


def test_what_moves_all_groups_alike_is_kept(rng):
    moved = rng.normal(0, 1, 500)
    right = np.concatenate([[0.0], moved])[:, None] * SIZES / 10
    deviations = through_thresholds(right, SPEECH, SIZES)
    assert deviations[0] == 0
    assert deviations[1:] == pytest.approx((moved - moved.mean()) / 10)


def test_what_moves_groups_by_chance_is_left_out(rng):
    right = rng.normal(0, 1, (2001, 40))
    deviations = through_thresholds(right, SPEECH, SIZES)
    joint = bootstrap.balanced(np.ones((1, 40)), SPEECH, right.T, SIZES)[0]
    assert deviations.std() < 0.35 * joint.std()


def played(rng, groups, trials=40):
    """Return trials of two detectors of one skill, whose errors are partly the same."""
    speech = np.repeat(np.arange(2 * groups) >= groups, trials)
    frame = pd.DataFrame({"speech": speech, "group_id": np.repeat(np.arange(2 * groups), trials)})
    frame["trial_id"] = frame.index
    shared = rng.normal(0, 0.7, len(frame)) + np.repeat(rng.normal(0, 0.5, 2 * groups), trials)
    scores = [shared + rng.normal(0, 0.4, len(frame)) + 1.5 * speech for _ in "AB"]
    return {
        name: frame.assign(p_speech=1 / (1 + np.exp(-z)))
        for name, z in zip("AB", scores, strict=True)
    }


def test_spread_is_that_of_repeated_measurements(rng):
    """The truth is 0; drawing groups and thresholds at once says a fifth too much."""
    drawn = {"replicates": 300, "seed": 0}
    points, spreads, joint, covered = [], [], [], 0
    for _ in range(80):
        dev, test = (played(rng, 20) for _ in range(2))
        thresholds = {
            name: threshold_replicates(of, rule="balanced", **drawn)[None]
            for name, of in dev.items()
        }
        decided = {
            name: of.assign(decided=of["p_speech"] >= thresholds[name][0, 0])
            for name, of in test.items()
        }
        row = compare(decided, thresholds, planned=[("B", "A")], permutations=9, **drawn).iloc[0]
        covered += row["difference_low"] <= 0 <= row["difference_high"]
        points.append(row["difference"])
        spreads.append((row["difference_high"] - row["difference_low"]) / 2 / 2.093)
        joint.append(spread_of_both(test, thresholds, drawn))
    true = np.sqrt(np.mean(np.square(points)))
    assert 0.85 * true < np.mean(spreads) < 0.93 * np.mean(joint)
    assert covered >= 0.92 * 80


def spread_of_both(test, thresholds, drawn):
    """Return the spread of replicates that draw test's groups and thresholds at once."""
    first = test["A"]
    codes, speech, _ = bootstrap.groups_by_class(first["speech"], first["group_id"])
    yes = [yes_counts(test[name]["p_speech"], codes, 40, thresholds[name][0]) for name in "BA"]
    gained = np.where(speech, 1, -1) * (yes[0] - yes[1])
    weighted = bootstrap.weights(speech, **drawn) * gained
    by_class = [weighted[:, of].sum(1) / 800 for of in (speech, ~speech)]
    return np.mean(by_class, axis=0)[1:].std()
