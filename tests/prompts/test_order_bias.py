"""The bias of option order, planted and found."""

import numpy as np
import pytest

from speechdt.prompts.order_bias import order_bias


def test_a_planted_bias_is_found():
    rng = np.random.default_rng(0)
    speech = np.arange(2000) % 2 == 0
    fair = rng.normal(np.where(speech, 1, -1), 1)
    measured = order_bias([fair + 0.7, fair - 0.7], speech)
    assert measured["bias"] == pytest.approx(0.7)
    assert measured["bias_sd"] == pytest.approx(0, abs=1e-12)
    assert measured["flipped"] == pytest.approx(np.mean(np.abs(fair) < 0.7), abs=1e-3)
    assert measured["auc"] == measured["auc_exchanged"]
    assert measured["balanced_accuracy"] < order_bias([fair, fair], speech)["balanced_accuracy"]


def test_no_bias():
    z = np.linspace(-1, 1, 10)
    measured = order_bias([z, z], z > 0)
    assert (measured["bias"], measured["flipped"], measured["auc"]) == (0, 0, 1)
