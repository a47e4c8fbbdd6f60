"""Threshold, temperature and Platt scaling against simulations and scikit-learn."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from speechdt.statistics.calibration import Calibration, calibrate, fit_platt, logit
from speechdt.statistics.criterion import HALF, NEVER


def simulate(rng, slope=1.0, intercept=0.0, n=20_000):
    """Scores whose true P(speech) is expit(slope * logit(p) + intercept)."""
    x = rng.normal(0, 2, n)
    return expit(x), rng.random(n) < expit(slope * x + intercept)


def test_temperature_is_recovered(rng):
    p, speech = simulate(rng, slope=1 / 2.5)
    assert calibrate(p, speech).temperature == pytest.approx(2.5, rel=0.05)


def test_platt_is_recovered_and_is_logistic_regression(rng):
    p, speech = simulate(rng, slope=0.6, intercept=-1.2)
    slope, intercept = fit_platt(p, speech)
    assert slope == pytest.approx(0.6, abs=0.03)
    assert intercept == pytest.approx(-1.2, abs=0.05)
    stock = LogisticRegression(C=np.inf).fit(logit(p)[:, None], speech)
    assert slope == pytest.approx(stock.coef_[0, 0], abs=2e-3)
    assert intercept == pytest.approx(stock.intercept_[0], abs=2e-3)


def test_the_threshold_has_the_best_balanced_accuracy_of_all(rng):
    p, speech = simulate(rng, intercept=1.5, n=500)
    p = np.round(p, 2)  # ties
    learned = calibrate(p, speech)
    between = np.arange(102) / 100 - 0.005
    best = max(balanced_accuracy_score(speech, p >= t) for t in between)
    assert balanced_accuracy_score(speech, learned.decide(p)) == pytest.approx(best)
    assert learned.threshold not in p


def test_at_most_a_tenth_of_false_alarms(rng):
    p, speech = simulate(rng, n=1000)
    learned = calibrate(p, speech)
    assert (p[~speech] >= learned.threshold_far10).mean() <= 0.1
    assert (p[~speech] >= learned.threshold_far10 - 0.02).mean() > 0.1


def test_a_detector_that_always_says_yes_keeps_a_threshold():
    speech = np.arange(100) % 2 == 0
    learned = calibrate(np.ones(100), speech)
    assert learned.threshold == HALF
    assert learned.decide(np.ones(100)).all()
    assert learned.threshold_far10 == NEVER
    assert not (np.ones(100) >= NEVER).any()


def test_a_detector_that_is_worse_than_chance_is_not_turned_around(rng):
    p, speech = simulate(rng, slope=-1)
    learned = calibrate(p, speech)
    assert learned.slope == 0
    assert learned.platt(p).std() < 1e-9


def test_separable_scores_stay_finite():
    p = np.r_[np.full(50, 1e-9), np.full(50, 1.0)]
    learned = calibrate(p, np.arange(100) >= 50)
    assert np.isfinite(learned[2:]).all()
    assert learned.decide(p).tolist() == [False] * 50 + [True] * 50


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="both classes"):
        calibrate([0.1, 0.2], [True, True])


def test_it_is_kept_as_json(rng):
    import json

    learned = calibrate(*simulate(rng, n=200))
    assert Calibration.from_dict(json.loads(json.dumps(learned.to_dict()))) == learned
