"""Shares of scores by class."""

import pandas as pd
import pytest

from speechdt.statistics.score_shares import BINS, score_shares


def test_each_class_sums_to_one_and_the_ends_are_within():
    trials = pd.DataFrame({"speech": [True, True, True, False], "p_speech": [0.0, 1.0, 0.51, 0.03]})
    table = score_shares(trials)
    assert len(table) == 2 * BINS
    assert table.groupby("label")["share"].sum().tolist() == pytest.approx([1, 1])
    speech = table[(table["label"] == "SPEECH") & (table["share"] > 0)]
    assert speech["p_low"].tolist() == pytest.approx([0.0, 0.48, 0.96])
    assert speech["share"].tolist() == pytest.approx([1 / 3] * 3)


def test_a_class_that_is_missing_has_no_rows():
    trials = pd.DataFrame({"speech": [True], "p_speech": [0.4]})
    assert set(score_shares(trials)["label"]) == {"SPEECH"}
