"""Limits where resampling moves nothing, against exact limits and simulations."""

import numpy as np
import pytest
from scipy.stats import binomtest

from speechdt.statistics import bootstrap, limits


@pytest.mark.parametrize("groups", [5, 13, 50])
def test_a_rate_of_1_has_the_exact_limits_of_its_groups(groups):
    exact = binomtest(groups, groups).proportion_ci(0.95, method="exact")
    assert limits.of_rate(1.0, 1.0, 1.0, groups) == pytest.approx((exact.low, 1.0))
    assert limits.of_rate(0.0, 0.0, 0.0, groups) == pytest.approx((0.0, 1 - exact.low))
    assert limits.of_rate(0.5, 0.4, 0.6, groups) == (0.4, 0.6)


def test_mover_is_the_sum_in_quadrature_of_both_sides():
    low, high = limits.mover((1.0, 0.7, 1.0), (0.6, 0.5, 0.8))
    assert low == pytest.approx(0.8 - np.hypot(0.3, 0.1) / 2)
    assert high == pytest.approx(0.8 + 0.1)


def test_metrics_of_two_rates_take_the_corners():
    values = {"speech_accuracy": 1.0, "nonspeech_accuracy": 0.5, "precision_speech": 2 / 3}
    ends = {"speech_accuracy": (1.0, 1.0), "nonspeech_accuracy": (0.4, 0.6)}
    intervals = limits.widened(values, ends | {"precision_speech": (0.6, 0.7)}, (13, 13), (10, 10))
    hit = 1 - limits.unseen(13)
    assert intervals["precision_speech"] == pytest.approx((hit / (hit + 0.6), 1 / 1.4))
    assert intervals["nonspeech_accuracy"] == (0.4, 0.6)


def test_the_next_speaker_may_be_badly_heard():
    """Of 13 speakers 10 % are bad: intervals over items covered the rate in 75 %."""
    rng, covered = np.random.default_rng(4), 0
    for seed in range(200):
        right = (rng.random(13) >= 0.1).astype(float)
        values = bootstrap.weights(np.zeros(13), 400, seed) @ right / 13
        ends = (float(end) for end in bootstrap.interval(values[0], values[1:], 13))
        low, high = limits.of_rate(float(values[0]), *ends, 13)
        covered += low <= 0.9 <= high
    assert covered >= 184
