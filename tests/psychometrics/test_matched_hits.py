"""Hits at matched false alarms: the ROC curve of a stock library, and the order of scores alone."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, ndtr, ndtri
from sklearn.metrics import roc_curve

from speechdt.psychometrics.matched_hits import criterion, hits, matched_hits, placement


def stock(p, rivals, weights, rival_weights):
    """The interpolated ROC of scikit-learn at 10 %: the middle where it is vertical."""
    weight = np.r_[rival_weights, weights]
    kept = weight > 0
    label, score = np.r_[np.zeros(len(rivals)), np.ones(len(p))], np.r_[rivals, p]
    alarms, hit, _ = roc_curve(
        label[kept], score[kept], sample_weight=weight[kept], drop_intermediate=False
    )
    return (np.interp(0.1 - 1e-10, alarms, hit) + np.interp(0.1 + 1e-10, alarms, hit)) / 2


@pytest.mark.parametrize("digits", [0, 1, 12])  # scores with many ties, some, none
def test_hits_are_those_of_a_stock_roc_curve(digits):
    rng = np.random.default_rng(digits)
    for _ in range(40):
        rivals, p = (
            np.round(rng.normal(shift, 1, rng.integers(5, 60)), digits) for shift in (0, 1)
        )
        codes = [np.arange(len(of)) for of in (p, rivals)]
        weights = [np.vstack([np.ones(len(of)), rng.integers(0, 4, len(of))]) for of in (p, rivals)]
        if min(of[1].sum() for of in weights) == 0:
            continue
        at = criterion(rivals, codes[1], weights[1])
        rates = hits(at, p, codes[0], weights[0])
        for row in range(2):
            expected = stock(p, rivals, weights[0][row], weights[1][row])
            assert rates[row] == pytest.approx(expected, abs=1e-6)


def test_a_vertical_step_counts_by_its_middle():
    rivals = np.arange(20.0)  # two of twenty are above 17.5
    p = np.array([17.2, 17.6, 30.0, 1.0])
    at = criterion(rivals, np.arange(20), np.ones((1, 20)))
    lowest, highest = np.mean(p >= 18), np.mean(p > 17)
    assert hits(at, p, np.arange(4), np.ones((1, 4)))[0] == (lowest + highest) / 2


def test_a_normal_observer_has_the_hits_of_the_formula():
    rng = np.random.default_rng(1)
    size = 200_000
    at = criterion(rng.normal(0, 1, size), np.arange(size) % 40, np.ones((1, 40)))
    rates = hits(at, rng.normal(1.5, 1, size), np.arange(size) % 20, np.ones((1, 20)))
    assert rates[0] == pytest.approx(float(ndtr(1.5 - ndtri(0.9))), abs=0.005)


def frame(seed=0, items=120, groups=40):
    rng = np.random.default_rng(seed)
    rows = [(s, i % groups, level) for s in (True, False) for i in range(items) for level in (0, 1)]
    table = pd.DataFrame(rows, columns=["speech", "group_id", "place"])
    score = rng.normal(0, 1, len(table)) + table["speech"] * (0.5 + table["place"])
    return table.assign(stratum=table["place"], p_speech=expit(score.round(2)))


@pytest.mark.parametrize(
    "mapped", [lambda p: p**3, lambda p: p / 9 + 0.4, lambda p: ndtr(2 * p), np.log]
)
def test_only_the_order_of_scores_counts(mapped):
    trials, rng = frame(), np.random.default_rng(3)
    weights = [rng.integers(0, 3, (50, 40)).astype(float) for _ in range(2)]
    one, _ = matched_hits(trials, 2, *weights)
    other, _ = matched_hits(trials.assign(p_speech=mapped(trials["p_speech"])), 2, *weights)
    np.testing.assert_allclose(other, one, rtol=0, atol=1e-12)
    assert (one[:, 1] > one[:, 0]).mean() > 0.9


def test_false_alarms_at_each_score_keep_the_curve():
    trials = frame()
    parts = [
        at.assign(p_speech=1 - placement(at["p_speech"], at.loc[~at["speech"], "p_speech"]))
        for _, at in trials.groupby("place")
    ]
    ones = [np.ones((1, 40))] * 2
    rates, _ = matched_hits(pd.concat(parts), 2, *ones)
    np.testing.assert_allclose(rates, matched_hits(trials, 2, *ones)[0], atol=1e-12)


@pytest.mark.parametrize(
    ("items", "groups", "trusted"), [(120, 40, True), (99, 40, False), (120, 29, False)]
)
def test_a_criterion_takes_a_hundred_clips_of_thirty_groups(items, groups, trusted):
    ones = [np.ones((1, groups))] * 2
    assert matched_hits(frame(items=items, groups=groups), 2, *ones)[1] == trusted
