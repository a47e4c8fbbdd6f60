"""Paired comparisons: known differences, exact tests on few groups, error rates in simulation."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, ttest_1samp

from speechdt.statistics.comparison import (
    Sums,
    all_pairs,
    compare,
    contrasts,
    group_sums,
    holm,
    permutation_p,
)
from speechdt.statistics.metrics import evaluate

SETTINGS = {"replicates": 1000, "permutations": 2000, "seed": 3}


def decided(trials, decisions):
    return trials.assign(decided=decisions, trial_id=trials.index.astype(str))


@pytest.fixture
def three(scored_trials, rng):
    """Variant a; b, that errs in one trial in ten more; c, a copy of a."""
    right = scored_trials["decided"].to_numpy()
    worse = right ^ (rng.random(len(right)) < 0.1)
    return {
        "a": decided(scored_trials, right),
        "b": decided(scored_trials, worse),
        "c": decided(scored_trials, right),
    }


# ------------------------------------------------------------------------------------ the contrasts


def test_contrasts_are_those_whose_variants_exist_and_none_comes_twice():
    variants = ["A1", "A2", "B2", "D1", "D2"]
    listed = [["A2", "A1"], ["B2", "B1"], ["D2", "A1"]]
    assert contrasts(variants, listed, "D2") == [
        *(("A2", "A1"), ("D2", "A1"), ("A2", "D2"), ("B2", "D2"), ("D1", "D2"))
    ]
    assert contrasts(variants, listed, "D9") == [("A2", "A1"), ("D2", "A1")]
    assert all_pairs(["A1", "A2", "D2"], [("A1", "D2")]) == [
        *(("A1", "D2"), ("A2", "A1"), ("D2", "A2"))
    ]


def test_families_and_their_correction(three):
    table = compare(three, planned=[("a", "b"), ("c", "a")], also=[("b", "c")], **SETTINGS)
    assert table["family"].tolist() == ["planned", "planned", "also"]
    assert table["p_holm"].tolist()[:2] == pytest.approx([2 * table["p"][0], 1.0])
    assert np.isnan(table["p_holm"][2])
    assert (table["n"] == 800).all()
    assert (table["groups"] == 40).all()


def test_one_variant_has_no_pairs(three):
    assert compare({"a": three["a"]}, planned=[], **SETTINGS).empty


# --------------------------------------------------------------------------------- the differences


def test_differences_are_those_of_the_metrics_table(three):
    table = compare(three, planned=[("a", "b")], **SETTINGS).set_index(["variant", "reference"])
    accuracy = {
        name: evaluate(trials, replicates=100, seed=3).set_index("metric").loc["balanced_accuracy"]
        for name, trials in three.items()
    }
    row = table.loc[("a", "b")]
    assert row["balanced_accuracy"] == pytest.approx(accuracy["a"]["value"])
    assert row["difference"] == pytest.approx(accuracy["a"]["value"] - accuracy["b"]["value"])
    assert row["difference_low"] < row["difference"] < row["difference_high"]
    assert row["p"] < 0.01
    same = table.loc[("c", "a")]
    assert (same["difference"], same["difference_low"], same["p"]) == (0, 0, 1)


def test_order_of_the_trials_does_not_matter_but_they_must_be_the_same(three):
    table = compare(three, planned=[], **SETTINGS)
    mixed = three | {"b": three["b"].sample(frac=1, random_state=0)}
    pd.testing.assert_frame_equal(compare(mixed, planned=[], **SETTINGS), table)
    with pytest.raises(ValueError, match="b and a were scored on different trials"):
        compare(three | {"b": three["b"].iloc[1:]}, planned=[], **SETTINGS)


def test_pairing_makes_intervals_narrow(three):
    """Both hear the same trials, so what is hard for both cancels."""
    row = compare(three, planned=[("a", "b")], **SETTINGS).iloc[0]
    alone = [
        evaluate(three[name], replicates=1000, seed=3).set_index("metric") for name in ("a", "b")
    ]
    width = [t.loc["balanced_accuracy", "high"] - t.loc["balanced_accuracy", "low"] for t in alone]
    assert row["difference_high"] - row["difference_low"] < 0.8 * np.hypot(*width)


# ------------------------------------------------------------------------------------- the p-value


def sums_of(speech, nonspeech, trials=20):
    """Sums of two variants whose group differences (variant 0 minus 1) are given."""
    difference = np.concatenate([speech, nonspeech])
    correct = np.stack([difference, np.zeros_like(difference)], axis=1)
    is_speech = np.arange(len(difference)) < len(speech)
    return Sums(is_speech, np.arange(len(difference)), np.full(len(difference), trials), correct)


def test_p_is_that_of_all_exchanges():
    rng = np.random.default_rng(0)
    speech, nonspeech = rng.normal(1, 2, 5), rng.normal(1, 2, 6)
    observed = np.concatenate([speech, nonspeech])

    def statistic(x):
        parts = x[:5], x[5:]
        error = np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts))
        return abs(sum(part.mean() for part in parts) / error)

    signs = np.array(list(product([-1, 1], repeat=11)))
    all_of_them = np.array([statistic(sign * observed) for sign in signs])
    exact = (all_of_them >= statistic(observed) * (1 - 1e-9)).mean()
    p = permutation_p(sums_of(speech, nonspeech), [0], [1], 40_000, 1)[0]
    assert p == pytest.approx(exact, abs=4 * np.sqrt(exact / 40_000))
    assert permutation_p(sums_of(speech, nonspeech), [1], [0], 40_000, 1)[0] == p


def test_p_agrees_with_student_on_many_normal_groups():
    speech = np.random.default_rng(2).normal(0.0, 2, 200)
    speech += 0.2 - speech.mean()
    p = permutation_p(sums_of(speech, speech), [0], [1], 20_000, 1)[0]
    both = np.concatenate([speech, speech])
    assert p == pytest.approx(ttest_1samp(both, 0).pvalue, rel=0.1)


def test_degenerate_groups():
    nothing = sums_of(np.zeros(4), np.zeros(4))
    assert permutation_p(nothing, [0], [1], 500, 1) == 1
    always = sums_of(np.ones(8), np.ones(8))  # better in every group by as much
    assert permutation_p(always, [0], [1], 5000, 1) < 0.001
    single = sums_of(np.ones(1), np.ones(8))
    assert np.isnan(permutation_p(single, [0], [1], 500, 1)).all()


def test_a_group_in_both_classes_is_exchanged_as_one():
    trials = pd.DataFrame(
        {
            "trial_id": ["1", "2", "3"],
            "group_id": ["a", "a", "b"],
            "speech": [True, False, True],
            "decided": True,
        }
    )
    sums = group_sums({"x": trials})
    assert len(sums.n) == 3
    assert len(np.unique(sums.group)) == 2


def test_holm_as_in_the_textbook():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1, 1])
    assert holm([]).size == 0


@pytest.mark.parametrize("bias", [0.0, 3.0])
@pytest.mark.parametrize("groups", [13, 40])
def test_false_positives_under_the_null(groups, bias):
    """With a bias one variant gains on speech what it loses on non-speech: no better, either."""
    rng, runs, wrong = np.random.default_rng(4), 600, 0
    for seed in range(runs):
        speech, nonspeech = rng.normal([[bias], [-bias]], 2.0, (2, groups))
        wrong += permutation_p(sums_of(speech, nonspeech), [0], [1], 199, seed)[0] <= 0.05
    assert binom.ppf(1e-3, runs, 0.035) <= wrong <= binom.ppf(1 - 1e-3, runs, 0.055)


def test_thresholds_that_are_chosen_again_make_differences_less_sure(rng):
    speech = np.repeat([True, False], 120)
    frame = pd.DataFrame({"speech": speech, "group_id": np.repeat(np.arange(24), 10).astype(str)})
    frame["trial_id"] = frame.index.astype(str)
    trials = {}
    for name, skill in (("A", 0.4), ("B", 0.7)):
        p = np.clip(0.5 + np.where(speech, 1, -1) * 0.2 * skill + rng.normal(0, 0.2, 240), 0, 1)
        trials[name] = frame.assign(p_speech=p, decided=p >= 0.5)
    settings = {"planned": [("B", "A")], "replicates": 400, "permutations": 999, "seed": 1}
    spread = np.r_[0.5, rng.uniform(0.1, 0.9, 400)][None]
    same = np.full((1, 401), 0.5)
    fixed, constant, again = (
        compare(trials, thresholds and dict.fromkeys(trials, thresholds[0]), **settings).iloc[0]
        for thresholds in (None, [same], [spread])
    )
    pd.testing.assert_series_equal(fixed, constant)
    assert again["difference"] == fixed["difference"]
    apart = dict(zip("AB", (spread, same), strict=True))
    uneven = compare(trials, apart, **settings).iloc[0]
    assert uneven["difference_high"] - uneven["difference_low"] > 1.1 * (
        fixed["difference_high"] - fixed["difference_low"]
    )
    assert uneven["p"] > fixed["p"]
