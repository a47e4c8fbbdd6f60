"""The threshold moved: by hand, by scikit-learn, and at its best."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from speechdt.statistics.calibration import calibrate
from speechdt.statistics.threshold_sensitivity import sensitivity


def made(seed, shift=0.0):
    rng = np.random.default_rng(seed)
    speech = np.arange(2000) % 2 == 0
    p = 1 / (1 + np.exp(-(rng.normal(0, 1.2, 2000) + np.where(speech, 1, -1) + shift)))
    names = [f"{kind}{i % 20}" for i, kind in enumerate(speech)]
    return pd.DataFrame({"speech": speech, "p_speech": p, "group_id": names})


def test_every_row_is_scikit_learn_s_and_the_share_of_speech_moves_as_asked():
    dev, test = made(1), made(2)
    threshold = calibrate(dev["p_speech"], dev["speech"]).threshold
    table = sensitivity(dev, test, threshold, replicates=300, seed=1).set_index("at")
    called = (dev["p_speech"] >= threshold).mean()
    for at, row in table.iterrows():
        expected = balanced_accuracy_score(test["speech"], test["p_speech"] >= row["threshold"])
        assert row["balanced_accuracy"] == pytest.approx(expected)
        if at != "best":
            share = (dev["p_speech"] >= row["threshold"]).mean()
            assert share == pytest.approx(called + float(at), abs=0.002)
    assert table.loc["0", "threshold"] == threshold
    assert table.loc["0", ["change", "change_low", "change_high"]].tolist() == [0, 0, 0]
    assert table.loc["best", "balanced_accuracy"] == table["balanced_accuracy"].max()
    assert table.loc["-0.1", "change_high"] < 0


def test_a_threshold_that_does_not_carry_over_shows():
    dev, test = made(1), made(2, shift=2.0)
    threshold = calibrate(dev["p_speech"], dev["speech"]).threshold
    table = sensitivity(dev, test, threshold, replicates=300, seed=1).set_index("at")
    assert table.loc["best", "change_low"] > 0.02


def test_shares_beyond_the_ends():
    dev = made(1)
    table = sensitivity(dev, made(2), 0.0, replicates=100, seed=1).set_index("at")
    assert table.loc["0.1", "balanced_accuracy"] == 0.5  # all are called SPEECH already
    assert np.isfinite(table["balanced_accuracy"]).all()
