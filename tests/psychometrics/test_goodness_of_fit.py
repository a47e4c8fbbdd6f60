"""True curves pass however alike the trials of a speaker are; wrong ones do not."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binom, chi2

from speechdt.psychometrics.curve import SPREAD, fit
from speechdt.psychometrics.goodness_of_fit import misfit_p
from speechdt.statistics import bootstrap

SNR = np.array([-5.0, 0, 5, 10, 20])


def counts(rng, rate_of, groups=25, trials=32, spread=0.15):
    """Row 0 as observed, the others resampled; each group has its own rate at each level."""
    mean = rate_of(SNR)
    total = 1 / spread**2 - 1  # of the beta distribution with that share of the greatest variance
    rates = rng.beta(mean * total, (1 - mean) * total, (groups, len(SNR)))
    yes = rng.binomial(trials, rates)
    weights = bootstrap.weights(np.zeros(groups), 200, 1)
    return weights @ yes, weights @ np.full(yes.shape, trials)


def true_curve(x):
    return 0.05 + 0.9 * ndtr(SPREAD * (x - 4) / 10)


@pytest.mark.parametrize("runs", [40, pytest.param(400, marks=pytest.mark.campaign)])
def test_a_true_curve_is_rarely_rejected(runs):
    rng, rejected, naively = np.random.default_rng(1), 0, 0
    for _ in range(runs):
        yes, asked = counts(rng, true_curve)
        curves = fit(SNR, yes, asked, guess=0.05)
        rejected += misfit_p(curves, yes, asked, np.full(201, 0.05)) <= 0.05
        naively += chi2.sf(curves.deviance(yes, asked)[0], 2) <= 0.05
    assert rejected <= binom.ppf(0.999, runs, 0.06)
    assert naively > 0.15 * runs


def test_a_dip_is_seen():
    def dipping(x):
        return np.where(abs(x - 10) < 3, 0.4, true_curve(x))

    rng = np.random.default_rng(2)
    p_values = []
    for _ in range(10):
        yes, asked = counts(rng, dipping, spread=0.05)
        curves = fit(SNR, yes, asked, guess=0.05)
        p_values.append(misfit_p(curves, yes, asked, np.full(201, 0.05)))
    assert max(p_values) < 0.01


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_answers_that_are_all_alike_fit(rate):
    yes = np.full((101, 5), 50 * rate)
    asked = np.full((101, 5), 50.0)
    curves = fit(SNR, yes, asked, guess=0.0)
    assert misfit_p(curves, yes, asked, np.zeros(101)) > 0.5


def test_three_levels_say_nothing():
    yes, asked = np.full((10, 3), 5.0), np.full((10, 3), 10.0)
    assert np.isnan(misfit_p(fit(SNR[:3], yes, asked, guess=0.1), yes, asked, np.full(10, 0.1)))
