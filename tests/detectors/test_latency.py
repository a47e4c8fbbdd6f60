"""Stages add up, and the frontier is the one of the definition."""

import time

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from speechdt import stage
from speechdt.audio.io import flac_bytes
from speechdt.detectors import latency
from speechdt.detectors.stages import recording
from speechdt.reporting.tables.latency import frontier, quantile_interval


class Slow:
    gpus = 0

    def __init__(self):
        time.sleep(0.02)

    def score(self, clips):
        with stage("features"):
            time.sleep(0.002 * len(clips))
        with stage("forward"):
            time.sleep(0.005)
        return np.full(len(clips), 0.5)


@pytest.mark.parametrize("durations", [2, 3, 5, 6])
@pytest.mark.parametrize("count", [7, 60])
def test_all_durations_and_levels_are_timed_alike(tmp_path, durations, count):
    clip = flac_bytes(np.zeros(160, np.float32))
    cells = []
    for duration in range(durations):
        for snr in range(5):
            named = [f"{duration} {snr} {number}" for number in range(20)]
            cell = {"trial_id": named, "duration_ms": 100 * duration, "snr_db": float(snr)}
            cells.append(tmp_path / f"snr{snr}_dur{100 * duration}.parquet")
            pd.DataFrame(cell | {"audio": [{"bytes": clip}] * 20}).to_parquet(cells[-1])
    chosen = latency.spread(cells, count)
    assert len(chosen) == chosen["trial_id"].nunique() == count
    of_duration = chosen["duration_ms"].value_counts()
    assert len(of_duration) == durations
    assert of_duration.max() - of_duration.min() <= 1
    assert chosen["duration_ms"].iloc[:durations].is_unique
    if count == 60:
        assert (chosen.groupby("duration_ms")["snr_db"].nunique() == 5).all()


def test_fewer_trials_than_are_to_be_timed(tmp_path):
    clip = flac_bytes(np.zeros(160, np.float32))
    cell = {
        "trial_id": ["a", "b"],
        "duration_ms": 200,
        "snr_db": 0.0,
        "audio": [{"bytes": clip}] * 2,
    }
    pd.DataFrame(cell).to_parquet(tmp_path / "cell.parquet")
    assert len(latency.spread([tmp_path / "cell.parquet"], 200)) == 2


class Clock:
    """A clock that moves by what sleeps, and by a microsecond for each look at it."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        self.now += 1e-6
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_stages_are_timed_one_by_one(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock.perf_counter)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    rng = np.random.default_rng(0)
    clips = [flac_bytes(rng.normal(0, 0.1, 3200).astype(np.float32)) for _ in range(20)]
    timed = latency.measure(Slow, clips)
    assert timed["load_s"] == pytest.approx(0.02, abs=1e-4)
    assert set(timed["stages"]) == {"decode", "features", "forward", "other"}
    assert timed["stages"]["features"]["p50_ms"] == pytest.approx(2, abs=0.01)
    assert timed["stages"]["forward"]["p50_ms"] == pytest.approx(5, abs=0.01)
    parts = sum(part["mean_ms"] for part in timed["stages"].values())
    assert parts == pytest.approx(timed["latency"]["mean_ms"], rel=0.01)
    assert timed["throughput_batch"] == 8
    assert timed["throughput_clips_s"] > 1000 / 7


def test_a_stage_outside_of_a_recording_is_not_timed():
    with stage("forward"):
        pass
    with recording() as clock:
        assert clock.take() == {}
        with stage("forward"):
            pass
        assert list(clock.take()) == ["forward"]
        assert clock.take() == {}


def test_the_frontier_holds_what_nothing_beats():
    rng = np.random.default_rng(1)
    ms, accuracy = rng.integers(1, 8, 60), rng.integers(50, 60, 60) / 100
    on_frontier = frontier(ms, accuracy)
    for i in range(60):
        beaten = any(
            ms[j] <= ms[i]
            and accuracy[j] >= accuracy[i]
            and (ms[j], accuracy[j]) != (ms[i], accuracy[i])
            for j in range(60)
        )
        assert on_frontier[i] == (not beaten)


def test_intervals_of_quantiles_cover_at_their_level(rng):
    for quantile, truth in ((0.5, np.log(2)), (0.95, np.log(20))):
        ends = [quantile_interval(rng.exponential(size=200), quantile) for _ in range(600)]
        covered = sum(low <= truth <= high for low, high in ends)
        assert binom.ppf(1e-4, 600, 0.95) <= covered <= binom.ppf(1 - 1e-4, 600, 0.98)


def test_too_few_clips_leave_the_interval_open():
    assert quantile_interval(np.arange(20), 0.95)[1] == np.inf
    low, high = quantile_interval(np.arange(20), 0.5)
    assert 0 < low < 9.5 < high < 19
