"""Parts of the trials: what hygiene flags, and bandwidth."""

import numpy as np
import pandas as pd
import pytest

from speechdt.slices import by_slice


@pytest.fixture
def trials(scored_trials):
    rows = np.arange(len(scored_trials))
    columns = {"snr_db": 5.0, "duration_ms": 200, "category": "speech"}
    return scored_trials.assign(**columns, bandwidth_hz=np.where(rows % 4 < 2, 4000.0, 8000.0))


def accuracy(trials):
    table = by_slice(trials, replicates=100, seed=1)
    table = table[table["metric"] == "accuracy"]
    return table.set_index(["by", "level"])


def test_with_and_without_flagged_trials(trials):
    wrong = trials["decided"] != trials["speech"]
    table = accuracy(trials.assign(flagged=wrong))
    assert table.loc[("hygiene", "unflagged"), "value"] == 1
    assert table.loc[("hygiene", "unflagged"), "n"] == (~wrong).sum()
    assert table.loc[("all", ""), "n"] == len(trials)


@pytest.mark.parametrize("flagged", [None, False, True])
def test_no_row_without_a_difference(trials, flagged):
    table = accuracy(trials if flagged is None else trials.assign(flagged=flagged))
    assert "hygiene" not in table.index.get_level_values("by")


def test_bandwidths(trials):
    trials.loc[:9, "bandwidth_hz"] = np.nan  # unknown: in neither part
    table = accuracy(trials)
    right = trials["decided"] == trials["speech"]
    for level, band in (("narrow", 4000.0), ("full", 8000.0)):
        of = trials["bandwidth_hz"] == band
        assert table.loc[("bandwidth", level), "n"] == of.sum()
        assert table.loc[("bandwidth", level), "value"] == pytest.approx(right[of].mean())
    assert "bandwidth" not in accuracy(pd.DataFrame(trials.drop(columns="bandwidth_hz"))).index
