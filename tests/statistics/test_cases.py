"""Costs of the variants in a case, against plain loops over trials and replicates."""

import numpy as np
import pandas as pd
import pytest
from support.made_answers import made_decided

from speechdt.statistics import bootstrap
from speechdt.statistics.cases import COSTS, cases, cheapest
from speechdt.statistics.criterion import HALF, NEVER, threshold_replicates
from speechdt.statistics.metrics import evaluate

SETTINGS = {"replicates": 200, "seed": 3}
PLAN = (-5.0,)
"""The other SNR of the made trials stands for one of the curves alone."""


@pytest.fixture(scope="module")
def splits():
    return made_decided(1), made_decided(2)


@pytest.fixture(scope="module")
def table(splits):
    return cases(*splits, PLAN, **SETTINGS)


def at(table, snr="all", duration="all", background="all", cost=1.0):
    levels = [snr, duration, background]
    own = table[(table[["snr_db", "duration_ms", "background"]] == levels).all(axis=1)]
    return own[np.isclose(own["false_alarm_cost"], cost)].set_index("variant")


def test_every_case_ranks_every_variant(table):
    assert len(table) == 3 * 3 * 3 * len(COSTS) * 3
    for _, case in table.groupby(["snr_db", "duration_ms", "background", "false_alarm_cost"]):
        assert case["cost"].round(9).is_monotonic_increasing
        assert case["difference_low"].isna().tolist() == [True, False, False]


def test_with_equal_costs_the_threshold_is_that_of_balanced_accuracy(splits):
    dev = splits[0]["D1"]
    again = threshold_replicates(dev, rule="balanced", **SETTINGS)
    np.testing.assert_array_equal(cheapest(dev, 1.0, **SETTINGS), again)


def test_with_equal_costs_the_cost_is_what_balanced_accuracy_lacks(splits, table):
    dev, test = splits
    for variant, row in at(table).iterrows():
        theta = cheapest(dev[variant], 1.0, **SETTINGS)
        own = test[variant][test[variant]["snr_db"].isin(PLAN)]
        own = own.assign(decided=own["p_speech"] >= theta[0])
        metrics = evaluate(own, theta[None], **SETTINGS).set_index("metric")
        accuracy = metrics.loc["balanced_accuracy"]
        assert row["cost"] == pytest.approx(1 - accuracy["value"])
        assert row["cost_low"] == pytest.approx(1 - accuracy["high"])
        assert row["cost_high"] == pytest.approx(1 - accuracy["low"])


def test_a_case_by_plain_loops(splits, table):
    dev, test = splits
    cost = 3.0
    rates = {}
    for variant in test:
        own = test[variant].sort_values("trial_id")
        own = own[
            (own["snr_db"] == 10) & (own["duration_ms"] == 200) & (own["background"] == "pink")
        ]
        theta = cheapest(dev[variant], cost, **SETTINGS)
        codes, of_speech, _ = bootstrap.groups_by_class(own["speech"], own["group_id"])
        weights = bootstrap.weights(of_speech, **SETTINGS)
        p, speech = own["p_speech"].to_numpy(), own["speech"].to_numpy()
        rates[variant] = []
        for threshold, weight in zip(theta, weights[:, codes], strict=True):
            hit, alarm = (
                np.average(p[of] >= threshold, weights=weight[of]) for of in (speech, ~speech)
            )
            rates[variant].append((hit, alarm, (1 - hit + cost * alarm) / (1 + cost)))
        groups = [int(of_speech.sum()), int((~of_speech).sum())]
    rates = {variant: np.array(of) for variant, of in rates.items()}
    case = at(table, "10", "200", "pink", cost)
    best = min(rates, key=lambda variant: rates[variant][0, 2])
    assert case.index[0] == best
    for variant, row in case.iterrows():
        assert row[["hit", "false_alarm", "cost"]].tolist() == pytest.approx(
            list(rates[variant][0])
        )
        assert (row["n"], row["groups"]) == (48, sum(groups))
        if variant != best:
            against = rates[variant][:, 2] - rates[best][:, 2]
            low, high = bootstrap.interval(against[0], against[1:], groups)
            assert (row["difference_low"], row["difference_high"]) == pytest.approx((low, high))


def test_runs_count_alike(splits):
    dev, test = splits
    both = [
        {"D1": pd.concat([of["D1"].assign(run=0), of["D2"].assign(run=1)])} for of in (dev, test)
    ]
    apart = cases(*({name: of[name] for name in ("D1", "D2")} for of in splits), PLAN, **SETTINGS)
    joint = at(cases(*both, PLAN, **SETTINGS)).loc["D1"]
    assert joint["hit"] == pytest.approx(at(apart)["hit"].mean())
    assert joint["cost"] == pytest.approx(at(apart)["cost"].mean())


@pytest.mark.parametrize(("cost", "threshold"), [(1 / 3, 0.0), (1.0, HALF), (3.0, NEVER)])
def test_where_nothing_pays_the_cheaper_answer_is_given(splits, cost, threshold):
    same = splits[0]["D1"].assign(p_speech=0.7)
    assert set(cheapest(same, cost, **SETTINGS)) == {threshold}


def test_two_that_never_err_have_differences_that_are_not_sure(splits):
    perfect = {
        name: table.assign(p_speech=np.where(table["speech"], 0.9, 0.1))
        for name, table in splits[0].items()
    }
    row = at(cases(perfect, perfect, PLAN, **SETTINGS)).iloc[1]
    assert row["cost"] == 0
    assert row["cost_high"] > 0.05
    assert row["difference_low"] < 0 < row["difference_high"]


def test_a_case_without_one_of_the_classes_has_no_rows(splits):
    dev, test = splits
    lacking = {
        name: table[(table["label"] == "SPEECH") | (table["background"] == "pink")]
        for name, table in test.items()
    }
    assert set(cases(dev, lacking, PLAN, **SETTINGS)["background"]) == {"all", "pink"}
