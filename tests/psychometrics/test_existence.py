"""Curves that do not rise, and guess rates without a margin, have no threshold."""

import numpy as np
import pytest

from speechdt.psychometrics import curve
from speechdt.psychometrics.existence import censored
from speechdt.psychometrics.rates import Rates

LEVELS = np.array([-5.0, 0, 5, 10, 20])


def made(rate, guess, *, spread=0.08, trials=400.0, rows=400, seed=1):
    """Rates that differ between resamples by `spread`."""
    rng = np.random.default_rng(seed)
    rate = np.broadcast_to(rate, LEVELS.shape)
    noise = rng.normal(0, spread, (rows, 1)) + rng.normal(0, 0.02, (rows, 5))
    drawn = np.vstack([rate, rate + noise])
    drawn = np.clip(drawn, 0, 1)
    guesses = np.clip(np.r_[guess, rng.normal(guess, 0.02, rows)], 0, 1)
    counts = np.full(drawn.shape, trials)
    nothing = np.full(rows + 1, np.nan)
    rates = Rates(drawn * trials, counts, guesses, nothing, [25], 200)
    return rates, curve.fit(LEVELS, rates.successes, counts, guess=guesses)


@pytest.mark.parametrize(
    ("rate", "guess", "dt50", "dt75"),
    [
        (0.5, 0.02, "undefined", ">"),  # a curve through it has a DT50 of -3.9 dB
        (0.02, 0.02, ">", ">"),  # hears nothing
        (0.99, 0.02, "<", "<"),  # hears everything
        (0.74, 0.02, "<", "undefined"),
        ([0.1, 0.3, 0.6, 0.9, 0.95], 0.05, "", ""),
        ([0.5, 0.6, 0.7, 0.9, 0.95], 0.49, "undefined", ""),  # no margin: 0.49 may be 0.5
        ([0.9, 0.7, 0.6, 0.5, 0.3], 0.05, "undefined", "undefined"),  # falls: no hearing
    ],
)
def test_what_has_no_threshold(rate, guess, dt50, dt75):
    rates, fit = made(rate, guess)
    censoring = [censored(rates, fit, proportion) for proportion in (0.5, 0.75)]
    assert censoring == [dt50, dt75]


def test_too_few_clips_define_nothing():
    rates, fit = made([0.1, 0.3, 0.6, 0.9, 0.95], 0.05)
    assert censored(rates._replace(trusted=False), fit, 0.75) == "undefined"
