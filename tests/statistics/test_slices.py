"""Parts of the trials: what hygiene flags, and bandwidth."""

import numpy as np
import pandas as pd
import pytest

from speechdt.corpus.flags import involving
from speechdt.reporting.tables.reading import read_table, read_tables
from speechdt.statistics.criterion import threshold_replicates
from speechdt.statistics.metrics import evaluate
from speechdt.statistics.slices import COLUMNS, by_slice, without_flagged


@pytest.fixture
def trials(scored_trials):
    rows = np.arange(len(scored_trials))
    columns = {"snr_db": 5.0, "duration_ms": 200, "category": "speech"}
    return scored_trials.assign(**columns, bandwidth_hz=np.where(rows % 4 < 2, 4000.0, 8000.0))


def accuracy(trials):
    table = by_slice(trials, replicates=100, seed=1)
    table = table[table["metric"] == "accuracy"]
    return table.set_index(["by", "level"])


def test_without_the_trials_in_which_a_flagged_recording_is_heard(trials):
    wrong = trials["decided"] != trials["speech"]
    trials["source_id"] = np.where(wrong, "bad", "good")
    trials["background_id"] = np.where(trials.index % 10 == 0, "bad", "white")
    sound = ~wrong & (trials.index % 10 != 0)
    table = without_flagged(trials, involving(trials, {"bad", "elsewhere"}), replicates=100, seed=1)
    table = table.set_index(["by", "level", "metric"])
    assert table.loc[("hygiene", "unflagged", "accuracy"), "value"] == 1
    assert table.loc[("hygiene", "unflagged", "accuracy"), "n"] == sound.sum()
    assert list(table.reset_index()[COLUMNS]) == list(by_slice(trials, replicates=100, seed=1))


@pytest.mark.parametrize("flagged", [set(), {"elsewhere"}, {"good"}])
def test_no_row_without_a_difference(trials, flagged, tmp_path):
    trials = trials.assign(source_id="good", background_id="white")
    table = without_flagged(trials, involving(trials, flagged), replicates=100, seed=1)
    assert table.empty
    # Nor do the types of other rows suffer from there being none.
    files = [tmp_path / "some.csv", tmp_path / "none.csv"]
    some = by_slice(trials, replicates=100, seed=1)
    for file, written in zip(files, (some, table), strict=True):
        written.to_csv(file, index=False)
    assert read_tables(files).dtypes.equals(read_tables(files[:1]).dtypes)


def test_bandwidths(trials):
    trials.loc[:9, "bandwidth_hz"] = np.nan  # unknown: in neither part
    table = accuracy(trials)
    right = trials["decided"] == trials["speech"]
    for level, band in (("narrow", 4000.0), ("full", 8000.0)):
        of = trials["bandwidth_hz"] == band
        assert table.loc[("bandwidth", level), "n"] == of.sum()
        assert table.loc[("bandwidth", level), "value"] == pytest.approx(right[of].mean())
    assert "bandwidth" not in accuracy(pd.DataFrame(trials.drop(columns="bandwidth_hz"))).index


def test_a_variant_may_be_called_na(tmp_path):
    file = tmp_path / "table.csv"
    made = pd.DataFrame(
        {"variant": ["NA", "1", "None"], "family": ["", "x", ""], "p": [0.5, np.nan, np.inf]}
    )
    made.to_csv(file, index=False)
    pd.testing.assert_frame_equal(read_table(file), made)


def at_chance(seed):
    """Return trials of a detector whose scores say nothing, of 25 groups a class."""
    rng = np.random.default_rng(seed)
    group = np.tile(np.arange(50), 30)
    z = rng.normal(0, 0.9, 1500) + rng.normal(0, 0.6, 50)[group]
    p = 1 / (1 + np.exp(-z))
    frame = pd.DataFrame({"group_id": group, "speech": group < 25, "p_speech": p})
    named = {"snr_db": 5.0, "duration_ms": 200, "category": "speech", "item_id": frame.index}
    return frame.assign(p_platt=0.5, p_temperature=0.5, **named)


def test_bounds_of_a_detector_at_chance_hang_little_on_the_seed():
    """Precision hangs on the few replicates whose threshold few trials reach.

    Of ten seeds one moves it by a third of half the interval where each of 4,000 thresholds has
    four draws of test's groups; `benchmarks/seeds.py` has more detectors, and ten seeds.
    """
    dev, test = at_chance(2), at_chance(3)
    ends = []
    for seed in range(3):
        drawn = {"replicates": 4000, "seed": seed, "blocks": 16}
        thresholds = threshold_replicates(dev, rule="balanced", **drawn)[None]
        decided = test.assign(decided=test["p_speech"] >= thresholds[0, 0])
        table = evaluate(decided, thresholds, **drawn)
        ends.append(table.set_index("metric")[["low", "high"]])
    bounds = np.stack(ends)
    half = (bounds[..., 1] - bounds[..., 0]).mean(0) / 2
    moved = np.abs(bounds - bounds.mean(0)).max(0) / half[:, None]
    assert dict(zip(ends[0].index, moved.max(1), strict=True)) == pytest.approx(
        dict.fromkeys(ends[0].index, 0.0), abs=0.1
    )


def test_more_replicates_are_drawn_where_they_move_a_bound(trials, monkeypatch):
    """Of the whole alone, and as many as there are thresholds of dev for."""
    asked = []

    def seen(part, thresholds, *, replicates, seed, blocks):
        asked.append((part["duration_ms"].nunique(), blocks))
        return evaluate(part, thresholds, replicates=replicates, seed=seed)

    monkeypatch.setattr("speechdt.statistics.slices.evaluate", seen)
    by_slice(trials, np.full((1, 4 * 100 + 1), 0.5), replicates=100, seed=1)
    assert asked[0] == (1, 4)
    assert {blocks for _, blocks in asked[1:]} == {1}
