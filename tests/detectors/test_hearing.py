"""A detector behind a presentation: what it hears, and what of it stays its own."""

import json

import numpy as np
import pytest
from support.trial_cells import write_cells

from speechdt.audio.io import flac_bytes, from_flac_bytes
from speechdt.audio.presentation import AS_STORED, Presentation, rms_db
from speechdt.detectors.hearing import Hearing, presented
from speechdt.detectors.latency import measure
from speechdt.trials.cells import read_cell
from speechdt.trials.presented import presented_cells


class Meter:
    """Reports the level of what it hears."""

    gpus = 0
    tower_passes = 7

    def __init__(self, pooling="max"):
        self.pooling = pooling
        self.lengths = []

    def score(self, clips):
        self.lengths += [len(clip) for clip in clips]
        return [float(np.clip(-rms_db(clip) / 100, 0, 1)) for clip in clips]

    def score_prompts(self, clips, prompts):
        return np.tile(self.score(clips), (len(prompts), 1))

    def log_odds(self, clips, *, prompts=1):
        return np.zeros((2, prompts, len(clips))) + self.score(clips)


@pytest.fixture
def clips(rng):
    return [rng.normal(0, sigma, 1600).astype(np.float32) for sigma in (0.01, 0.1)]


def test_every_method_that_hears_clips_hears_them_presented(clips):
    detector = presented(Meter(), Presentation.of(-30))
    np.testing.assert_allclose(detector.score(clips), 0.3, atol=1e-6)
    np.testing.assert_allclose(detector.score_prompts(clips, ["a", "b"]), 0.3, atol=1e-6)
    np.testing.assert_allclose(detector.log_odds(clips, prompts=2), 0.3, atol=1e-6)


def test_all_else_is_the_detector_s_own(clips):
    detector = presented(Meter("mean"), Presentation.of(-30))
    assert (detector.gpus, detector.tower_passes, detector.pooling) == (0, 7, "mean")
    assert not hasattr(detector, "keep_audio")
    plain = Meter()
    assert presented(plain, AS_STORED) is plain


def test_clips_are_left_as_they_are(clips):
    before = [clip.copy() for clip in clips]
    presented(Meter(), Presentation.of(-30, "mirrored")).score(clips)
    for clip, copy in zip(clips, before, strict=True):
        np.testing.assert_array_equal(clip, copy)


def test_a_run_hears_as_dev_chose(clips, tmp_path):
    chosen = {"level": -30, "container": "mirrored", "options": {"pooling": "mean"}}
    file = tmp_path / "X1.json"
    file.write_text(json.dumps({"chosen": chosen | {"auc": 0.9}}))
    plain = {"level": "stored", "container": "none"}
    hearing = Hearing.of_run("meter", Meter, {}, plain, [file])
    detector = hearing.build()
    np.testing.assert_allclose(detector.score(clips), 0.3, atol=1e-6)
    assert (detector.pooling, detector.lengths) == ("mean", [3200, 3200])
    assert isinstance(Hearing.of_run("meter", Meter, {}, plain).build(), Meter)


def test_the_container_counts_for_latency(clips):
    hearing = Hearing("meter", Meter, {}, Presentation.of(container={"noise_ms": 500}))
    timed = measure(hearing.build, [flac_bytes(clip) for clip in clips])
    assert timed["stages"]["present"]["p50_ms"] > 0


def test_cells_that_are_trained_on_are_presented(tmp_path):
    cells = write_cells(tmp_path / "cells", 8)
    assert presented_cells(cells, tmp_path / "none", AS_STORED) == cells
    presentation = Presentation.of(container={"noise_ms": 600})
    copies = presented_cells(cells, tmp_path / "copies", presentation)
    for copy, cell in zip(copies, cells, strict=True):
        own, stored = read_cell(copy), read_cell(cell)
        played = ["audio", "sha256"]
        assert own.drop(columns=played).equals(stored.drop(columns=played))
        assert not set(own["sha256"]) & set(stored["sha256"])
        meter = Meter()
        meter.score([from_flac_bytes(clip) for clip in own["audio"]])
        assert set(meter.lengths) == {9600}
