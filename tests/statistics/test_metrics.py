"""Every metric against scikit-learn or a count by hand; intervals over groups."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import binomtest
from sklearn import metrics as stock
from torchmetrics.functional.classification import binary_calibration_error

from speechdt.statistics import bootstrap, formulas, metrics


@pytest.fixture
def values(scored_trials):
    table = metrics.evaluate(scored_trials, replicates=300, seed=1)
    return table.set_index("metric")["value"]


def test_metrics_are_scikit_learn_s(scored_trials, values):
    y, d, p = (scored_trials[name].to_numpy() for name in ("speech", "decided", "p_speech"))
    expected = {
        "accuracy": stock.accuracy_score(y, d),
        "balanced_accuracy": stock.balanced_accuracy_score(y, d),
        "speech_accuracy": stock.recall_score(y, d),
        "nonspeech_accuracy": stock.recall_score(~y, ~d),
        "precision_speech": stock.precision_score(y, d),
        "recall_speech": stock.recall_score(y, d),
        "f1_speech": stock.f1_score(y, d),
        "precision_nonspeech": stock.precision_score(~y, ~d),
        "recall_nonspeech": stock.recall_score(~y, ~d),
        "f1_nonspeech": stock.f1_score(~y, ~d),
        "auc": stock.roc_auc_score(y, p),
        "brier": stock.brier_score_loss(y, p),
    }
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, abs=1e-12), name


def test_ties_count_half_in_the_auc(scored_trials):
    tied = scored_trials.assign(p_speech=scored_trials["p_speech"].round(1))
    table = metrics.evaluate(tied, replicates=100, seed=1).set_index("metric")
    expected = stock.roc_auc_score(tied["speech"], tied["p_speech"])
    assert table.loc["auc", "value"] == pytest.approx(expected, abs=1e-12)


def test_calibration_error_by_hand():
    # Two bins: 0.1 with 1 of 4 speech, 0.9 with 3 of 4; and 0.5, always speech, of fewer than 20.
    few = formulas.LEAST_IN_BIN - 1
    names = [str(place) for place in range(80 + few)]
    trials = pd.DataFrame(
        {
            "speech": [True, False, False, False] * 10
            + [True, True, True, False] * 10
            + [True] * few,
            "p_speech": [0.1] * 40 + [0.9] * 40 + [0.5] * few,
            "item_id": names,
            "group_id": names,
            "decided": [False] * 40 + [True] * 40 + [True] * few,
        }
    ).assign(p_temperature=lambda t: t["p_speech"], p_platt=lambda t: t["p_speech"])
    values = metrics.evaluate(trials, replicates=100, seed=1).set_index("metric")["value"]
    assert values["ece"] == pytest.approx((0.15 * 80 + 0.5 * few) / (80 + few))
    assert values["mce"] == pytest.approx(0.15)
    assert values["confidence"] == pytest.approx((0.9 * 80 + 0.5 * few) / (80 + few))
    assert values["confidence_correct"] == pytest.approx((0.9 * 60 + 0.5 * few) / (60 + few))
    assert values["confidence_wrong"] == pytest.approx(0.9)


def test_bins_of_few_clips_alone_have_no_mce(scored_trials):
    table = metrics.evaluate(scored_trials.sample(19, random_state=1), replicates=100, seed=1)
    names = set(table["metric"])
    assert "ece" in names
    assert not {"mce", "mce_platt"} & names


@pytest.mark.parametrize("power", [0.2, 1.0, 5.0])
def test_calibration_errors_are_torchmetrics_s(scored_trials, power, monkeypatch):
    """Raw, tempered and Platt-scaled; scores that fill all bins, and that leave some empty."""
    monkeypatch.setattr(formulas, "LEAST_IN_BIN", 1)
    odds = (scored_trials["p_speech"] / (1 - scored_trials["p_speech"])) ** power
    p = odds / (1 + odds)
    trials = scored_trials.assign(p_speech=p, p_temperature=p**2, p_platt=1 - p)
    values = metrics.evaluate(trials, replicates=100, seed=1).set_index("metric")["value"]
    speech = torch.tensor(trials["speech"].to_numpy(), dtype=torch.long)
    for suffix, column in metrics.SCALES.items():
        scores = torch.tensor(trials[column].to_numpy())
        for name, norm in (("ece", "l1"), ("mce", "max")):
            expected = binary_calibration_error(scores, speech, n_bins=metrics.BINS, norm=norm)
            # torchmetrics counts in single precision
            assert values[name + suffix] == pytest.approx(float(expected), abs=2e-6), name + suffix


def test_the_auc_of_resampled_groups_is_that_of_repeated_trials(scored_trials):
    groups = metrics.Groups(scored_trials)
    key = scored_trials["speech"].astype(str) + "|" + scored_trials["group_id"]
    names = np.sort(key.unique())
    weights = np.random.default_rng(0).integers(0, 3, len(names)).astype(float)
    repeated = scored_trials.loc[
        scored_trials.index.repeat(key.map(dict(zip(names, weights, strict=True))).astype(int))
    ]
    expected = stock.roc_auc_score(repeated["speech"], repeated["p_speech"])
    assert groups.auc(weights[None])[0] == pytest.approx(expected)


def test_one_class_has_no_two_class_metrics(scored_trials):
    table = metrics.evaluate(scored_trials[scored_trials["speech"]], replicates=100, seed=1)
    names = set(table["metric"])
    assert {"accuracy", "speech_accuracy", "confidence"} <= names
    assert not {"auc", "balanced_accuracy", "nonspeech_accuracy"} & names


def test_intervals_hold_the_value_and_are_wider_for_clustered_trials(scored_trials, rng):
    table = metrics.evaluate(scored_trials, replicates=500, seed=1)
    # The calibration errors are biased upwards by resampling.
    unbiased = table[~table["metric"].str.startswith(("mce", "ece"))]
    assert (unbiased["low"] <= unbiased["value"]).all()
    assert (unbiased["value"] <= unbiased["high"]).all()
    shift = scored_trials["group_id"].map(
        {group: rng.normal(0, 0.3) for group in scored_trials["group_id"].unique()}
    )
    clustered = scored_trials.assign(
        decided=(scored_trials["p_speech"] + shift) >= 0.5,
    )
    widths = [
        metrics.evaluate(t, replicates=500, seed=1).set_index("metric").loc["accuracy"]
        for t in (scored_trials, clustered)
    ]
    assert widths[1]["high"] - widths[1]["low"] > 1.5 * (widths[0]["high"] - widths[0]["low"])


def test_a_perfect_detector_is_as_sure_as_its_number_of_groups(scored_trials):
    perfect = scored_trials.assign(decided=scored_trials["speech"])
    table = metrics.evaluate(perfect, replicates=100, seed=1).set_index("metric")
    groups = scored_trials[scored_trials["speech"]]["group_id"].nunique()
    exact = binomtest(groups, groups).proportion_ci(0.95, method="exact").low
    assert table.loc["speech_accuracy", "value"] == 1
    assert table.loc["speech_accuracy", "low"] == pytest.approx(exact)
    assert table.loc["balanced_accuracy", "low"] > exact  # two rates are rarely both at their worst
    assert table.loc["f1_speech", "low"] < table.loc["balanced_accuracy", "low"]


@pytest.mark.parametrize("always", [0.0, 0.5, 1.0])
def test_no_metric_of_a_detector_with_one_answer_has_an_interval_of_no_width(scored_trials, always):
    answers = {"p_speech": always, "p_temperature": always, "p_platt": 0.5}
    trials = scored_trials.assign(decided=always >= 0.5, **answers)
    table = metrics.evaluate(trials, replicates=100, seed=1)
    assert (table["high"] - table["low"] > 0.01).all()
    table = table[~table["metric"].str.startswith(("mce", "ece"))]  # biased upwards by resampling
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()


def test_thresholds_of_replicates_decide_in_them(scored_trials):
    """Each replicate by hand: its groups repeated, its threshold applied."""
    codes, of_speech, _ = bootstrap.groups_by_class(
        scored_trials["speech"], scored_trials["group_id"]
    )
    weights = bootstrap.weights(of_speech, 4, 1)
    thresholds = np.array([0.5, 0.2, 0.4, 0.6, 0.8])
    measured = metrics.Groups(scored_trials, thresholds).metrics(weights)
    for row, threshold in enumerate(thresholds):
        weight, p = weights[row][codes], scored_trials["p_speech"]
        yes, speech = p >= threshold, scored_trials["speech"]
        expected = stock.balanced_accuracy_score(speech, yes, sample_weight=weight)
        assert measured["balanced_accuracy"][row] == pytest.approx(expected)
        expected = stock.f1_score(speech, yes, sample_weight=weight)
        assert measured["f1_speech"][row] == pytest.approx(expected)
        platt = scored_trials["p_platt"]
        confidence = np.where(yes, platt, 1 - platt)
        assert measured["confidence"][row] == pytest.approx(np.average(confidence, weights=weight))
        right = weight * (yes == speech)
        expected = np.average(confidence, weights=right)
        assert measured["confidence_correct"][row] == pytest.approx(expected)


def test_a_threshold_that_is_chosen_again_makes_its_metrics_less_sure_and_no_other(scored_trials):
    spread = np.random.default_rng(3).uniform(0.3, 0.7, (1, 501))
    fixed, again = (
        metrics.evaluate(scored_trials, thresholds, replicates=500, seed=1).set_index("metric")
        for thresholds in (np.full((1, 501), 0.5), spread)
    )
    width = (again["high"] - again["low"]) / (fixed["high"] - fixed["low"])
    assert width["speech_accuracy"] > 1.1
    assert width[["auc", "ece", "brier", "balanced_accuracy_half"]].to_numpy() == pytest.approx(1)


def test_the_reliability_diagram_counts_every_trial_once(scored_trials):
    table = metrics.reliability(scored_trials)
    assert table.groupby("scale")["n"].sum().to_dict() == {
        "raw": 800, "temperature": 800, "platt": 800,
    }  # fmt: skip
    assert ((table["p_speech"] * metrics.BINS).astype(int) == table["bin"]).all()


def test_d_prime_and_criterion_of_known_rates(rng):
    # Evidence of unit variance around -1 and +1.5, decided at 0.5: d' is 2.5, c is 0.25.
    speech = np.arange(100_000) % 2 == 0
    evidence = rng.standard_normal(len(speech)) + np.where(speech, 1.5, -1.0)
    p = 1 / (1 + np.exp(-evidence))
    trials = pd.DataFrame({"speech": speech, "decided": evidence >= 0.5, "p_speech": p})
    names = (np.arange(len(p)) % 40).astype(str)
    trials = trials.assign(item_id=names, group_id=names, p_temperature=p, p_platt=p)
    values = metrics.evaluate(trials, replicates=10, seed=1).set_index("metric")["value"]
    assert values["dprime"] == pytest.approx(2.5, abs=0.03)
    assert values["criterion"] == pytest.approx(0.25, abs=0.02)


def test_d_prime_of_perfect_decisions_is_finite(scored_trials):
    perfect = scored_trials.assign(decided=scored_trials["speech"])
    values = metrics.evaluate(perfect, replicates=100, seed=1).set_index("metric")["value"]
    assert 5 < values["dprime"] < 8
    assert values["criterion"] == pytest.approx(0, abs=1e-9)


def test_the_auc_alone_is_that_of_all_metrics(scored_trials):
    table = metrics.evaluate(scored_trials, replicates=400, seed=3).set_index("metric")
    interval = metrics.auc_interval(scored_trials, replicates=400, seed=3)
    assert interval == tuple(table.loc["auc", ["value", "low", "high"]])
    assert interval[0] == pytest.approx(
        stock.roc_auc_score(scored_trials["speech"], scored_trials["p_speech"])
    )
    backwards = scored_trials.assign(p_speech=1 - scored_trials["p_speech"])
    auc, low, high = metrics.auc_interval(backwards, replicates=400, seed=3)
    assert auc == pytest.approx(1 - interval[0])
    assert low < auc < high < 0.5
    constant = metrics.auc_interval(scored_trials.assign(p_speech=1.0), replicates=400, seed=3)
    assert constant == pytest.approx((0.5, 0.5, 0.5))
