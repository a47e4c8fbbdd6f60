"""Paired comparison of areas under the ROC curve."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from speechdt.statistics import bootstrap
from speechdt.statistics.auc_comparison import compare_auc, exchangeable

SETTINGS = {"replicates": 300, "permutations": 1999, "seed": 2}


def made_trials(rng, skills, groups=12, trials=10):
    """Return trials of variants that hear the same evidence, more or less of it."""
    speech = np.repeat([True, False], groups * trials)
    group = np.repeat(np.arange(2 * groups), trials)
    shared = rng.normal(0, 0.5, 2 * groups)[group] + rng.normal(0, 1, len(speech))
    frame = pd.DataFrame({"speech": speech, "group_id": group.astype(str)})
    frame["trial_id"] = frame.index.astype(str)
    return {
        name: frame.assign(
            p_speech=skill * np.where(speech, 1, -1) + shared + rng.normal(0, 0.5, len(speech))
        )
        for name, skill in skills.items()
    }


def test_values_are_scikit_learn_s_and_the_order_of_trials_does_not_matter(rng):
    trials = made_trials(rng, {"A": 0.2, "B": 0.6})
    mixed = trials | {"B": trials["B"].sample(frac=1, random_state=1)}
    first, second = (
        compare_auc(of, [("B", "A")], np.array([True]), **SETTINGS).iloc[0]
        for of in (trials, mixed)
    )
    expected = [roc_auc_score(trials[name]["speech"], trials[name]["p_speech"]) for name in "BA"]
    assert [first["auc"], first["auc_reference"]] == pytest.approx(expected)
    assert first["auc_difference"] == pytest.approx(expected[0] - expected[1])
    assert first["auc_difference_low"] < first["auc_difference"] < first["auc_difference_high"]
    assert first["auc_p"] == first["auc_p_holm"] < 0.01
    pd.testing.assert_series_equal(first, second)


def test_exchanged_answers_have_the_areas_of_exchanged_ranks(rng):
    trials = made_trials(rng, {"A": 0.2, "B": 0.6}, groups=5, trials=4)
    one, other = (rankdata(trials[name]["p_speech"].round(1)) for name in "BA")
    speech = trials["A"]["speech"].to_numpy()
    codes, of_speech, names = bootstrap.groups_by_class(speech, trials["A"]["group_id"])
    ranks = {"B": one[None], "A": other[None]}
    shares = exchangeable(ranks, [("B", "A")], speech, codes, len(names))[:, 0]
    sizes = np.bincount(codes)
    of_class = np.where(of_speech, sizes[of_speech].sum(), sizes[~of_speech].sum())
    for _ in range(10):
        signs = rng.choice([-1, 1], len(names))
        kept = signs[codes] > 0
        areas = [
            roc_auc_score(speech, np.where(kept, *pair)) for pair in ((one, other), (other, one))
        ]
        assert (signs * shares / of_class).sum() == pytest.approx(areas[0] - areas[1])


def test_any_increasing_map_of_the_scores_changes_nothing(rng):
    trials = made_trials(rng, {"A": 0.3, "B": 0.4})
    mapped = trials | {"B": trials["B"].assign(p_speech=np.exp(trials["B"]["p_speech"]) + 7)}
    tables = [
        compare_auc(of, [("B", "A")], np.array([True]), **SETTINGS) for of in (trials, mapped)
    ]
    pd.testing.assert_frame_equal(*tables, rtol=1e-9)


def test_equal_detectors_rarely_differ(rng):
    wrong = 0
    for seed in range(200):
        trials = made_trials(rng, {"A": 0.4, "B": 0.4}, groups=8, trials=5)
        # One of the two leans towards SPEECH, which no area depends on.
        trials["B"]["p_speech"] += 1
        settings = SETTINGS | {"replicates": 50, "permutations": 199, "seed": seed}
        wrong += compare_auc(trials, [("B", "A")], np.array([True]), **settings)["auc_p"][0] <= 0.05
    assert wrong <= 20  # of 10 that are expected; 1 in 700 such tests would have more


def test_training_runs_are_averaged(rng):
    trials = made_trials(rng, {"A": 0.2, "B": 0.6, "C": 0.4})
    runs = {
        "D2": trials["A"],
        "X": pd.concat([trials["B"].assign(run=0), trials["C"].assign(run=1)], ignore_index=True),
    }
    row = compare_auc(runs, [("X", "D2")], np.array([False]), **SETTINGS).iloc[0]
    of = [roc_auc_score(trials[name]["speech"], trials[name]["p_speech"]) for name in "BC"]
    assert row["auc"] == pytest.approx(np.mean(of))
    assert np.isnan(row["auc_p_holm"])
    assert row["auc_p"] < 0.05
