"""Bounds of thresholds: open where replicates do not place them, however many there are."""

import numpy as np
import pytest

from speechdt.psychometrics.curve import Fit
from speechdt.psychometrics.rates import Rates
from speechdt.psychometrics.steadied import bounds, claimed

LEVELS = np.array([-20.0, -10.0, 0.0, 10.0, 20.0])
GROUPS = [18, 80]


def curves(locations):
    """Return curves that reach one half at their locations, the first as observed."""
    none, one = np.zeros(len(locations)), np.ones(len(locations))
    counts = np.full((len(locations), len(LEVELS)), 50.0)
    rates = Rates(counts / 2, counts, none, none, GROUPS, 50)
    return rates, Fit(none, none, np.asarray(locations), 5 * one, LEVELS)


def normal(replicates, seed=1):
    return np.r_[0.0, np.random.default_rng(seed).normal(0, 2, replicates)]


@pytest.mark.parametrize("replicates", [1000, 4000, 32_000])
def test_a_bound_of_well_behaved_replicates_is_claimed_however_many_there_are(replicates):
    of = curves(normal(replicates))
    assert claimed(*of, 0.5) == bounds(*of, 0.5)
    assert np.isfinite(bounds(*of, 0.5)).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_bound_that_hangs_on_how_many_are_beyond_the_range_is_open(seed):
    locations = normal(8000, seed)
    # A little fewer than a bound of 18 groups leaves beyond it, 1.7 %: one end is luck.
    locations[1 : 1 + 120] = 40.0
    of = curves(locations)
    low, high = bounds(*of, 0.5)
    assert 5 < high < 20
    assert claimed(*of, 0.5) == (low, np.inf)


def test_one_far_beyond_them_was_open_before():
    locations = normal(8000)
    locations[1 : 1 + 400] = -40.0
    of = curves(locations)
    assert claimed(*of, 0.5) == bounds(*of, 0.5)
    assert bounds(*of, 0.5)[0] == -np.inf
