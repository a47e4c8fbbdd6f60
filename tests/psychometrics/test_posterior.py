"""The posterior of a psychometric curve: its slopes and curvatures against finite differences."""

import numpy as np
import pytest

from speechdt.psychometrics.posterior import (
    GUESS,
    LOCATION,
    SHARE,
    WIDTH,
    Data,
    log_posterior,
    scores,
)

CURVES, STEP = 8, 1e-5


@pytest.fixture(params=["none", "guess", "lapse", "both"])
def curves(request):
    """Counts of curves of which nothing, one rate or both are fixed, and parameters near them."""
    rng = np.random.default_rng(0)
    n = np.full((5, CURVES), 50.0)
    k = rng.binomial(50, np.linspace(0.2, 0.9, 5)[:, None], n.shape).astype(float)
    guess = np.full(CURVES, 0.1) if request.param in ("guess", "both") else None
    lapse = np.full(CURVES, 0.05) if request.param in ("lapse", "both") else None
    theta = np.zeros((4, CURVES))
    theta[LOCATION] = rng.uniform(-0.3, 1.3, CURVES)  # outside the range and inside
    theta[WIDTH] = rng.uniform(0.25, 1.6, CURVES)  # narrower than two steps, and wider than all
    theta[SHARE] = 0.0 if lapse is not None else rng.uniform(0.02, 0.2, CURVES)
    theta[GUESS] = 0.1 if guess is not None else rng.uniform(0.05, 0.3, CURVES)
    return Data(np.array([0, 0.2, 0.4, 0.6, 1.0]), k, n, guess, lapse), theta


def test_slope_and_curvature_are_those_of_finite_differences(curves):
    data, theta = curves
    gradient, observed = scores(data, theta, observed=True)
    for place, row in enumerate(data.free):
        moved = [theta.copy(), theta.copy()]
        for sign, of in zip((1, -1), moved, strict=True):
            of[row] += sign * STEP
        up, down = (log_posterior(data, of) for of in moved)
        assert (up - down) / (2 * STEP) == pytest.approx(gradient[place], rel=1e-5, abs=1e-4)
        up, down = (scores(data, of, observed=True)[0] for of in moved)
        np.testing.assert_allclose(
            (down - up) / (2 * STEP), observed[:, place], rtol=1e-4, atol=0.1
        )


def test_the_expected_information_is_the_mean_of_the_observed_one(curves):
    """Over binomial counts, at the curve's own rates; priors aside, which are in both."""
    data, theta = curves
    rng, draws = np.random.default_rng(1), 20_000
    # psi itself: the likelihood of one success at one level
    psi = np.empty_like(data.k)
    for level in range(len(data.x)):
        alone = np.zeros_like(data.n)
        alone[level] = 1.0
        yes = log_posterior(data._replace(k=alone, n=alone), theta)
        none = log_posterior(data._replace(k=0 * alone, n=0 * alone), theta)
        psi[level] = np.exp(yes - none)
    wide = data.take(np.zeros(draws, dtype=int))
    k = rng.binomial(50, psi[:, :1], (len(data.x), draws)).astype(float)
    mean = scores(wide._replace(k=k), np.repeat(theta[:, :1], draws, 1), observed=True)[1].mean(-1)
    expected = scores(data, theta, observed=False)[1][..., 0]
    if data.guess is None and data.lapse is None:  # the prior of their product bends apart
        mean[2, 3] = mean[3, 2] = expected[2, 3]
    np.testing.assert_allclose(mean, expected, rtol=0.05, atol=0.02 * np.abs(expected).max())
