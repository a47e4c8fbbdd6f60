"""The listening list: what all contradict, in all of the easiest trials, and nothing else."""

import pandas as pd

from speechdt.statistics.label_audit import LISTED, contradicted

SOURCES = pd.DataFrame(
    {
        "source_id": ["right", "mute", "noisy", "often", "split"],
        "label": "SPEECH",
        "category": "speech",
        "group_id": ["a", "b", "c", "d", "e"],
        "split": "test",
        "path": "somewhere",
    }
)
WRONG = {  # decisions that are wrong: at 20 dB, at 0 dB, without noise
    "right": (False, True, False),
    "mute": (True, False, True),  # at 0 dB a detector may be right by chance
    "noisy": (True, True, False),
    "often": (True, True, True),
    "split": (False, True, True),
}


def decided(doubt=0.9, **changes):
    rows = []
    for source, wrong in (WRONG | changes).items():
        for snr, is_wrong in zip((20.0, 0.0, float("nan")), wrong, strict=True):
            p = 1 - doubt if is_wrong else doubt
            rows.append((f"{source}-{snr}", source, "SPEECH", True, snr, not is_wrong, p))
    columns = ["trial_id", "source_id", "label", "speech", "snr_db", "decided", "p_platt"]
    return pd.DataFrame(rows, columns=columns)


def test_only_what_all_contradict_is_listed_and_the_surest_first():
    other = decided(0.8, mute=(True, True, True), noisy=(True, True, True))
    surer = other["source_id"] == "often"
    other.loc[surer, "p_platt"] = 0.01
    listed = contradicted({"D1": decided(), "D2": other}, SOURCES)
    assert list(listed) == list(LISTED)
    assert listed["source_id"].tolist() == ["often", "mute"]
    assert listed["trials"].tolist() == [2, 2]
    assert listed["doubt"].is_monotonic_decreasing


def test_a_detector_that_is_right_once_saves_a_label():
    saved = decided(often=(True, True, False), mute=(False, True, True))
    assert contradicted({"D1": decided(), "D2": saved}, SOURCES).empty


def test_one_detector_alone_contradicts_nothing():
    assert contradicted({"D1": decided()}, SOURCES).empty
    assert list(contradicted({}, SOURCES)) == list(LISTED)


def test_a_recording_must_have_been_heard_in_both_conditions():
    quiet = decided()
    quiet = quiet[quiet["snr_db"].notna()]
    assert contradicted({"D1": quiet, "D2": quiet}, SOURCES).empty
