"""Planted observers get their thresholds back."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from speechdt.psychometrics.thresholds import thresholds
from speechdt.reporting.tables import matrix
from speechdt.reporting.tables.reading import read_table

SNRS = [-5, 0, 5, 10, 20]
DURATIONS = [200, 300, 500, 1000]
SPREAD = 3.2897  # width of a Gaussian with unit standard deviation, from 5 to 95 %


def play(observer, items=200, seed=0):
    """Trials of an observer: a function of snr and duration that gives P(yes | speech)."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        [
            (f"{label}{i}", label == "SPEECH", f"{label}{i % 25}", snr, ms)
            for label in ("SPEECH", "NONSPEECH")
            for i in range(items)
            for snr in SNRS
            for ms in DURATIONS
        ],
        columns=["item_id", "speech", "group_id", "snr_db", "duration_ms"],
    )
    rate = np.where(frame["speech"], observer(frame["snr_db"], frame["duration_ms"]), 0.1)
    decided = rng.random(len(frame)) < rate
    p = np.clip(np.where(decided, 0.8, 0.2) + rng.normal(0, 0.05, len(frame)), 0, 1)
    return frame.assign(decided=decided, decided_far10=decided, p_speech=p)


def silence(rate, seed=1):
    rng = np.random.default_rng(seed)
    decided = rng.random(800) < rate
    return pd.DataFrame(
        {
            "group_id": [f"c{i}" for i in range(800)],
            "duration_ms": np.tile(DURATIONS, 200),
            "decided": decided,
            "decided_far10": decided,
        }
    )


def row(table, kind="detection", dimension="snr", slice_name="all"):
    at = (table["kind"] == kind) & (table["dimension"] == dimension)
    return table[at & (table["slice"] == slice_name)].iloc[0]


def observer(m=3.0, w=12.0, guess=0.1, lapse=0.02):
    return lambda snr, ms: guess + (1 - guess - lapse) * ndtr(SPREAD * (snr - m) / w)


@pytest.fixture(scope="module")
def planted():
    """Thresholds and curves of a planted observer."""
    return thresholds(play(observer()), silence(0.1), replicates=100, seed=1)


def test_a_planted_threshold_is_within_its_interval(planted):
    table, curves = planted
    pooled = row(table)
    grid = np.linspace(-5, 20, 10_001)
    truth = grid[np.searchsorted(observer()(grid, None), 0.75)]
    assert pooled["dt75"] == pytest.approx(truth, abs=0.6)
    assert pooled["dt75_low"] < truth < pooled["dt75_high"]
    assert pooled["dt75_censored"] == ""
    assert pooled["n"] == 200 * 20
    for ms in DURATIONS:
        assert row(table, slice_name=str(ms))["dt75"] == pytest.approx(truth, abs=1.5)
    fitted = curves[(curves["kind"] == "detection") & curves["fitted"]]
    assert ((fitted["low"] <= fitted["rate"]) & (fitted["rate"] <= fitted["high"])).mean() > 0.98


def test_along_duration_the_threshold_is_in_ms():
    ms_observer = lambda snr, ms: ndtr(SPREAD * (np.log10(ms) - np.log10(400)) / 0.8)  # noqa: E731
    trials = play(ms_observer).query("snr_db in (0, 10)")
    table, _ = thresholds(trials, silence(0.0), replicates=50, seed=1)
    pooled = row(table, dimension="duration")
    assert pooled["dt50"] == pytest.approx(400, rel=0.1)
    assert pooled["dt50_low"] < 400 < pooled["dt50_high"]


@pytest.mark.parametrize(
    ("rate", "catch_rate", "censored"),
    [(1.0, 1.0, "undefined"), (0.02, 0.02, ">"), (0.99, 0.0, "<")],
)
def test_thresholds_outside_of_the_range_say_so(rate, catch_rate, censored):
    always = lambda snr, ms: np.full(len(snr), rate)  # noqa: E731
    trials = play(always, items=100).query("duration_ms == 200")
    table, _ = thresholds(trials, silence(catch_rate), replicates=50, seed=1)
    pooled = row(table)
    assert pooled["dt75_censored"] == censored
    assert np.isnan(pooled["dt75"])


def test_half_of_the_accuracy_is_chance(planted):
    table, _ = planted
    assert set(table[table["kind"] == "accuracy"]["dt50_censored"]) == {"undefined"}
    assert row(table, kind="accuracy")["guess"] == 0.5


def test_one_level_makes_no_curve():
    trials = play(observer())
    table, _ = thresholds(trials[trials["snr_db"] == 0], silence(0.1), replicates=50, seed=1)
    assert set(table["dimension"]) == {"duration"}


def test_one_cell_makes_no_curve_at_all():
    trials = play(observer()).query("snr_db == 0 and duration_ms == 200")
    table, curves = thresholds(trials, silence(0.1), replicates=50, seed=1)
    assert table.empty
    assert curves.empty


def test_bounds_are_never_extrapolated():
    few = play(observer(m=-3)).assign(group_id=lambda t: t["group_id"].str[:-1])
    table, _ = thresholds(few[few["group_id"] < "T"], silence(0.1), replicates=50, seed=1)
    snr = table[table["dimension"] == "snr"]
    for bound in ("dt75_low", "dt75_high"):
        finite = snr[bound][np.isfinite(snr[bound])]
        assert finite.between(-5, 20).all()


def test_the_matrix_has_a_row_a_variant(tmp_path):
    trials = play(observer(), items=50).query("duration_ms in (200, 1000)")
    table, _ = thresholds(trials, silence(0.1), replicates=50, seed=1)
    from speechdt.statistics.slices import by_slice

    decided = trials.assign(
        category="x", p_temperature=trials["p_speech"], p_platt=trials["p_speech"]
    )
    metrics = by_slice(decided, replicates=50, seed=1)
    table = matrix.matrix(
        metrics.assign(variant="X"),
        table.assign(variant="X"),
        {"X": {"backend": "planted", "model": ""}},
        {"X": {"dev_auc": 0.8, "dev_auc_low": 0.7, "dev_auc_high": 0.9}},
    )
    assert table["variant"].tolist() == ["X"]
    assert table["dt75_db"].notna().all()
    assert table["clean_accuracy"].isna().all()
    table.to_csv(tmp_path / "matrix.csv", index=False)
    assert read_table(tmp_path / "matrix.csv")["dt75_censored"].tolist() == [""]
