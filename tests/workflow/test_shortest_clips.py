"""Clips that are too short for a detector are refused when the configuration is read."""

import numpy as np
import pytest

from speechdt.audio.presentation import ALONE
from speechdt.detectors.contract import shortest_ms
from speechdt.detectors.plugins import find_detectors
from speechdt.workflow.presentations import Presentations, check_length

GRID = {"duration_ms": [30, 200], "clean_ms": 1000}
PLAIN = Presentations({"level": "stored", "container": ALONE})


@pytest.mark.parametrize(
    ("backend", "options", "shortest"),
    [("silero", {}, 32), ("logmel", {}, 32), ("webrtc", {}, 10), ("webrtc", {"frame_ms": 30}, 30)],
)
def test_a_detector_says_its_shortest_clip(backend, options, shortest):
    cls = find_detectors()[backend]
    assert shortest_ms(cls, options) == shortest
    if backend != "logmel":  # which is trained first
        detector = cls(**options)
        detector.score([np.zeros(16 * shortest, np.float32)])
        with pytest.raises(ValueError, match="shorter than a frame"):
            detector.score([np.zeros(16 * shortest - 1, np.float32)])


def test_a_grid_with_shorter_clips_is_one_line():
    silero = find_detectors()["silero"]
    with pytest.raises(ValueError, match=r"clips of 32 ms or more, and grid.duration_ms has 30"):
        check_length(PLAIN, silero, {}, GRID)
    with pytest.raises(ValueError, match=r"and grid.clean_ms has 20"):
        check_length(PLAIN, silero, {}, {"duration_ms": [200], "clean_ms": 20})
    check_length(PLAIN, silero, {}, GRID | {"duration_ms": [32]})
    check_length(PLAIN, find_detectors()["webrtc"], {"mode": 3}, GRID)
    check_length(Presentations({"level": "stored", "container": 500}), silero, {}, GRID)


def test_a_plugin_need_not_say_it():
    class Mine:
        gpus = 0

        def score(self, clips):
            return [0.5] * len(clips)

    check_length(PLAIN, Mine, {}, GRID)
