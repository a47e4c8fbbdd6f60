"""Detectors in turn on one base: how often weights are read, and what each of them says."""

import hashlib

import numpy as np
import pytest

from speechdt.audio.io import flac_bytes
from speechdt.audio.presentation import Presentation
from speechdt.detectors import call, shared_latency
from speechdt.detectors.call import BuildError
from speechdt.detectors.hearing import Hearing, OneDetector
from speechdt.detectors.latency import measure
from speechdt.detectors.shared_base import SharedBase, base_options, shares
from speechdt.detectors.shared_latency import measure_in_turn
from speechdt.store import Store


class Asked:
    """Hears a clip by the digest of its samples, its model and its adapter."""

    gpus = 0
    of_base = ("model",)
    read = 0

    def __init__(self, model, adapter=None, prompt=""):
        type(self).read += 1
        self.arguments = (model, adapter, prompt)
        self.whole = adapter is None

    def become(self, adapter=None, prompt="", **_):
        if adapter == "damaged":
            raise RuntimeError("no such adapter")
        if adapter == "in full" or not self.whole:
            return False
        self.arguments = (self.arguments[0], adapter, prompt)
        return True

    def score(self, clips):
        prefix = repr(self.arguments).encode()
        return [hashlib.sha256(prefix + clip.tobytes()).digest()[0] / 255 for clip in clips]


OPTIONS = [
    {"model": "one"},
    {"model": "one", "prompt": "again"},
    {"model": "one", "adapter": "a"},
    {"model": "one", "adapter": "b", "prompt": "again"},
    {"model": "two", "adapter": "a"},
    {"model": "two"},
]


@pytest.fixture
def fresh(monkeypatch):
    monkeypatch.setattr(Asked, "read", 0)


def test_a_base_is_read_once_and_each_detector_is_itself(fresh):
    shared, clips = SharedBase(), [np.full(4, i, np.float32) for i in range(3)]
    for options in OPTIONS:
        detector = shared.built("asked", Asked, options)
        assert (
            detector.arguments == (*options.values(),) or detector.arguments[0] == options["model"]
        )
        assert detector.score(clips) == Asked(**options).score(clips)
    assert shared.loads == 2
    assert shared.load_s > 0


def test_what_cannot_be_had_on_it_is_read_by_itself(fresh):
    shared = SharedBase()
    shared.built("asked", Asked, OPTIONS[0])
    whole = shared.built("asked", Asked, {"model": "one", "adapter": "in full"})
    assert whole.arguments == ("one", "in full", "")
    assert shared.built("asked", Asked, OPTIONS[2]).arguments == ("one", "a", "")
    assert Asked.read == shared.loads == 3


def test_a_base_that_failed_is_read_anew(fresh):
    shared = SharedBase()
    with pytest.raises(BuildError, match="fails when it is built: RuntimeError: no such adapter"):
        shared.built("asked", Asked, {"model": "one", "adapter": "damaged"})
    assert shared.built("asked", Asked, OPTIONS[0]).arguments == ("one", None, "")
    assert shared.loads == 2


def test_the_same_detector_is_left_as_it_is(fresh):
    shared = SharedBase()
    first = shared.built("asked", Asked, OPTIONS[2])
    first.remembers = True
    assert shared.built("asked", Asked, dict(OPTIONS[2])).remembers


def test_a_class_without_a_base_is_built_each_time():
    class Plain:
        gpus = 0

    shared = SharedBase()
    assert not shares(Plain)
    assert base_options(Plain, {"model": "one"}) == {}
    assert shared.built("plain", Plain, {}) is not shared.built("plain", Plain, {})
    assert shared.loads == 2


def test_all_that_hear_clips_can_be_on_it(fresh):
    shared = SharedBase()
    for options in OPTIONS[:4]:
        hearing = Hearing("asked", Asked, options, Presentation.of(-26, None))
        one = OneDetector(hearing, shared.built)
        for detector in (hearing.build(shared.built), one.builder(hearing.presentation)()):
            assert detector.of.arguments == call.built("asked", Asked, options).arguments
    assert shared.loads == 1


def test_times_are_taken_once_also_after_a_kill(fresh, tmp_path, monkeypatch):
    clips = [flac_bytes(np.full(3200, 0.1 * i, np.float32)) for i in range(3)]
    hearings = {str(place): Hearing("asked", Asked, one) for place, one in enumerate(OPTIONS[:4])}
    store, measured, given = Store(tmp_path / "latency.sqlite"), [], []

    def killed(build, clips, before):
        if len(measured) == 2:
            raise KeyboardInterrupt
        given.append(before)
        measured.append(measure(build, clips, before) | {"clip_ms": [float(len(given))]})
        return measured[-1]

    monkeypatch.setattr(shared_latency, "measure", killed)
    with pytest.raises(KeyboardInterrupt):
        measure_in_turn(hearings, SharedBase(), clips, store, {"round": 0})
    loads = [times["load"] for times in measured]
    assert given == [None, loads[0]["others_during"]]
    assert loads[1]["others_before"] == loads[0]["others_during"]
    after = {"load_s": 0.0, "clip_ms": [9.0], "load": {"others_during": 0.0}}
    monkeypatch.setattr(shared_latency, "measure", lambda *given: dict(after))
    timings = measure_in_turn(hearings, SharedBase(), clips, store, {"round": 0})
    assert [times["clip_ms"] for times in timings.values()] == [[1.0], [2.0], [9.0], [9.0]]
    again = measure_in_turn(hearings, SharedBase(), clips, store, {"round": 0})
    assert again == timings
    for anew in ({"measured_on": {"round": 1}}, {"measured_on": {"round": 0}, "anew": True}):
        on = anew.pop("measured_on")
        other = measure_in_turn(hearings, SharedBase(), clips, store, on, **anew)
        assert [times["clip_ms"] for times in other.values()] == [[9.0]] * 4


def test_memory_that_is_held_for_others_on_the_base_is_no_peak_of_its_own(
    fresh, tmp_path, monkeypatch
):
    def on_a_gpu(build, clips, before):
        build()
        load = {"others_during": 0.0}
        return {"load_s": 0.0, "peak_gpu_memory_mib": 30.0, "load": load}

    monkeypatch.setattr(shared_latency, "measure", on_a_gpu)
    monkeypatch.setattr(Asked, "set_aside", 12 * 2**20, raising=False)
    hearings = {"A1": Hearing("asked", Asked, OPTIONS[0])}
    timings = measure_in_turn(hearings, SharedBase(), [], Store(tmp_path / "latency.sqlite"), {})
    assert timings["A1"]["peak_gpu_memory_mib"] == 18.0
