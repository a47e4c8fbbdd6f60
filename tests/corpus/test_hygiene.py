"""Hygiene flags by its thresholds, counts what it would remove, and removes if asked."""

import numpy as np
import pandas as pd
import pytest
import webrtcvad

from speechdt import find_detectors
from speechdt.audio import io as audio_io
from speechdt.corpus import hygiene
from speechdt.corpus.hygiene import Thresholds
from speechdt.corpus.selection import ExclusionError, read_marks, select
from speechdt.detectors import recordings
from speechdt.detectors.hearing import Hearing
from speechdt.store import Store
from speechdt.workflow.hygiene_checks import read_checks
from speechdt.workflow.variants import ConfigError

PLAN = {"mode": 3, "frame_ms": 30}
WEBRTC = Hearing("webrtc", find_detectors()["webrtc"], PLAN)


def plan_s_activity(path):
    """Return the share of voiced frames as the plan's own script has it, above 50 Hz."""
    samples, rate = np.round(audio_io.read(path) * 2**15).clip(-(2**15), 2**15 - 1), 16_000
    samples = samples.astype(np.int16)
    vad = webrtcvad.Vad(3)
    frames = [samples[i : i + 480].tobytes() for i in range(0, len(samples) - 479, 480)]
    return np.mean([vad.is_speech(frame, rate) for frame in frames])


@pytest.fixture
def index(sources):
    return sources.groupby("category").head(12).reset_index(drop=True)


def test_webrtc_mode_3_is_the_plan_s_share_of_voiced_frames(index, tmp_path):
    store = Store(tmp_path / "scores.sqlite")
    measured = recordings.measure(index, WEBRTC, store)
    expected = [plan_s_activity(path) for path in index["path"]]
    # The library keeps 16 bits as floats; a sample may be rounded otherwise.
    np.testing.assert_allclose(measured["p_speech"], expected, atol=0.05)
    assert np.mean(np.abs(measured["p_speech"] - expected) > 1e-9) < 0.1


def test_what_is_known_is_not_heard_again(index, tmp_path):
    store = Store(tmp_path / "scores.sqlite")
    first = recordings.measure(index.iloc[:5], WEBRTC, store)
    five_missing = index.assign(path=["nowhere.wav"] * 5 + index["path"].tolist()[5:])
    again = recordings.measure(five_missing, WEBRTC, store)
    assert again["p_speech"][:5].tolist() == first["p_speech"].tolist()


TOY = pd.DataFrame(
    [
        ("a", "SPEECH", "speech", "g1", 0.9),
        ("b", "SPEECH", "speech", "g2", 0.7),
        ("c", "SPEECH", "speech", "g2", 0.69),
        ("d", "NONSPEECH", "music", "g3", 0.05),
        ("e", "NONSPEECH", "music", "g4", 0.06),
        ("f", "NONSPEECH", "noise", "g5", 0.0),
    ],
    columns=["source_id", "label", "category", "group_id", "p_speech"],
).assign(path=lambda table: table["source_id"] + ".wav")
LIMITS = Thresholds(nonspeech_above=0.05, speech_below=0.70)


def test_flags_lie_beyond_the_thresholds():
    shuffled = TOY.sample(frac=1, random_state=1)
    flagged = hygiene.flag(TOY, shuffled, LIMITS)
    assert TOY["source_id"][flagged].tolist() == ["c", "e"]


def test_counts_by_category():
    counts = hygiene.count(TOY, {"plan": TOY}, {"plan": LIMITS}).set_index("category")
    assert counts["flagged"].to_dict() == {"speech": 1, "music": 1, "noise": 0}
    assert counts.loc["music", ["share", "groups", "groups_left"]].tolist() == [0.5, 2, 1]
    assert counts.loc["speech", ["groups", "groups_left"]].tolist() == [2, 2]


@pytest.mark.parametrize(("remove", "left"), [(False, "abcef"), (True, "abf")])
def test_flagged_recordings_stay_unless_removal_is_asked_for(tmp_path, remove, left):
    marks = tmp_path / "marks.csv"
    marks.write_text("kind,source_id\nsource,d\n")
    marked = read_marks([marks], TOY["source_id"])
    flagged = TOY["source_id"][hygiene.flag(TOY, TOY, LIMITS)] if remove else ()
    used, left_out = select(TOY, marked, flagged, "plan")
    assert "".join(used["source_id"]) == left
    reasons = left_out.set_index("source_id")["reason"].to_dict()
    assert reasons.pop("d") == f"marked in {marks}"
    assert set(reasons.values()) == ({"flagged by hygiene check plan"} if remove else set())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\na\n", "lacks the column source_id"),
        ("source_id\nz\n", "names 'z', which is no usable recording"),
        ("", "cannot be read"),
    ],
)
def test_marks_that_cannot_be_used_are_one_line(tmp_path, text, message):
    marks = tmp_path / "marks.csv"
    marks.write_text(text)
    with pytest.raises(ExclusionError, match=message) as caught:
        read_marks([marks], TOY["source_id"])
    assert str(marks) in str(caught.value)
    assert "\n" not in str(caught.value)


def checks(**changes):
    plan = {"backend": "webrtc", **PLAN, **LIMITS._asdict()}
    entry = {"checks": {"plan": plan}, "flag_by": "plan", "remove": False} | changes
    models = {"qwen2_audio": "nano"}
    return read_checks(entry, models, {"p": "Speech?"}, "results/models/nano")


def test_checks_are_read_from_the_configuration():
    check = checks()["plan"]
    assert check.options == PLAN
    assert check.detector is find_detectors()["webrtc"]
    assert Thresholds(**check.thresholds) == LIMITS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flag_by": "plann"}, r"flag_by: no check 'plann' \(did you mean 'plan'"),
        ({"flag_by": None, "remove": True}, "remove: nothing is flagged"),
        (
            {"checks": {"plan": {"backend": "webrtc", "mood": 3, **LIMITS._asdict()}}},
            "checks.plan: backend 'webrtc': no option 'mood'",
        ),
        ({"checks": {"plan": {"backend": "webrct", **LIMITS._asdict()}}}, "did you mean 'webrtc'"),
        (
            {"checks": {"plan": {"backend": "qwen2_audio", "prompt": "p", **LIMITS._asdict()}}},
            "is a nano model",
        ),
    ],
)
def test_a_wrong_check_is_one_line(changes, message):
    with pytest.raises(ConfigError, match=message):
        checks(**changes)
