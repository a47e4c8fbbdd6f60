"""Shifts of DT75: a planted observer moves by the closed form; tables say what is not there."""

import numpy as np
import pandas as pd
import pytest
from scipy.signal import sosfreqz

from speechdt.audio import channel
from speechdt.audio.mixing import mix, set_level
from speechdt.audio.rate import SAMPLE_RATE
from speechdt.psychometrics import conditions

PITCH_HZ, HARMONICS, PERIOD = 100, 60, SAMPLE_RATE // 100
LADDER = (-18, -12, -6, 0, 6)
FILTERS = {"band_300_3400": (300.0, 3400.0), "lowpass_3400": (None, 3400.0),
           "highpass_300": (300.0, None)}  # fmt: skip
FLOOR_DB, SPREAD_DB = -14.0, 4.0
ITEMS = 60


def target(rng, voiced, samples=8000):
    """Return harmonics of 100 Hz whose power falls as 1 / number; or tones half-way between."""
    time = np.arange(samples) / SAMPLE_RATE
    wave = np.zeros(samples)
    for number in range(1, HARMONICS + 1):
        hertz = PITCH_HZ * (number if voiced else number + 0.5)
        wave += np.sin(2 * np.pi * (hertz * time + rng.random())) / np.sqrt(number)
    return wave.astype(np.float32)


def heard_db(clip):
    """Return what an observer makes of a clip: the SNR by how much of it repeats itself."""
    clip = clip[800:-800].astype(float)
    repeats = clip[PERIOD:] @ clip[:-PERIOD] / (clip[PERIOD:] @ clip[PERIOD:])
    share = np.clip(repeats, 1e-6, 1 - 1e-6)
    return max(10 * np.log10(share / (1 - share)), FLOOR_DB)


@pytest.fixture(scope="module")
def observed():
    """Trials of the observer, in the neutral condition and behind each filter."""
    rows = []
    for number in range(2 * ITEMS):
        rng = np.random.default_rng(number)
        voiced = number < ITEMS
        sound, noise = target(rng, voiced), rng.normal(size=8000).astype(np.float32)
        for snr_db in LADDER:
            doubt = SPREAD_DB * rng.normal()
            clip = set_level(mix(sound, noise, snr_db), "peak")
            for name in ("none", *FILTERS):
                score = heard_db(channel.through(name, clip)) + doubt
                rows.append({"condition": name, "speech": voiced, "group_id": f"g{number}",
                             "item_id": f"i{number}", "snr_db": snr_db,
                             "p_speech": 1 / (1 + np.exp(-score / 10))})  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def table(observed):
    thresholds = [np.full(401, 0.3)]
    measured = conditions.measured_conditions(observed, thresholds, replicates=400, seed=3)
    return conditions.table(measured, "none").set_index("condition")


def closed_form_db(name):
    """Return by how many dB a filter lowers the threshold of who hears all frequencies alike."""
    sections = channel.sections(*FILTERS[name])

    def passed(hertz):
        return np.abs(sosfreqz(sections, hertz, fs=SAMPLE_RATE)[1]) ** 4  # two passes, of power

    numbers = np.arange(1, HARMONICS + 1)
    of_target = (passed(PITCH_HZ * numbers) / numbers).sum() / (1 / numbers).sum()
    of_noise = passed(np.linspace(0, SAMPLE_RATE / 2, 20_001)).mean()
    return 10 * np.log10(of_noise / of_target)


@pytest.mark.parametrize("name", FILTERS)
def test_an_observer_moves_by_the_closed_form(table, name):
    row, truth = table.loc[name], closed_form_db(name)
    assert abs(truth) > 0.5  # each filter moves it
    assert row["dt75_shift_db_censored"] == ""
    assert row["dt75_shift_db_low"] <= truth <= row["dt75_shift_db_high"]
    assert row["dt75_shift_db"] == pytest.approx(truth, abs=1)
    # Paired: the shift is surer than the two thresholds that it is between.
    width = row["dt75_shift_db_high"] - row["dt75_shift_db_low"]
    assert width < row["dt75_high"] - row["dt75_low"]


def test_words_follow_the_corrected_p(table):
    for name, row in table.drop("none").iterrows():
        assert row["p_holm"] >= row["p"]
        word = "not shown" if row["p_holm"] > 0.05 else "gain" if row["dt75_shift_db"] < 0 else (
            "loss")  # fmt: skip
        assert row["verdict"] == word, name
    neutral = table.loc["none"]
    assert np.isnan(neutral["dt75_shift_db"])
    assert np.isnan(neutral["p"])
    assert neutral["verdict"] == ""


def test_the_neutral_threshold_is_where_the_observer_has_it(table):
    # Criterion: 10 % of the doubt of NONSPEECH, at the floor; then 75 % of that of SPEECH.
    truth = FLOOR_DB + (1.2816 + 0.6745) * SPREAD_DB
    row = table.loc["none"]
    assert row["dt75_low"] <= truth <= row["dt75_high"]


def test_who_never_hears_has_no_shift():
    rng = np.random.default_rng(1)
    rows = [
        {"condition": name, "speech": speech, "group_id": f"{speech}{item}", "snr_db": snr,
         "p_speech": rng.random()}
        for name in ("neutral", "other") for speech in (True, False)
        for item in range(40) for snr in (-10, 0, 10)
    ]  # fmt: skip
    measured = conditions.measured_conditions(
        pd.DataFrame(rows), [np.full(101, 0.5)], replicates=100, seed=0
    )
    table = conditions.table(measured, "neutral").set_index("condition")
    assert np.isnan(table.loc["other", "dt75_shift_db"])
    assert table.loc["other", "dt75_shift_db_censored"] == "undefined"
    assert np.isnan(table.loc["other", "p_holm"])
    assert table.loc["other", "verdict"] == ""
    assert table.loc["other", "hits"] == pytest.approx(0.1, abs=0.08)


def test_a_perfect_detector_of_clean_clips_has_intervals_of_some_width():
    rows = [
        {"condition": "neutral", "speech": speech, "group_id": f"{speech}{item}",
         "snr_db": np.nan, "p_speech": float(speech)}
        for speech in (True, False) for item in range(12)
    ]  # fmt: skip
    measured = conditions.measured_conditions(
        pd.DataFrame(rows), [np.full(101, 0.5)], replicates=100, seed=0
    )
    row = conditions.table(measured, "neutral").iloc[0]
    assert row["accuracy"] == row["auc"] == 1
    assert row["accuracy_low"] < 1
    assert row["auc_low"] < 1
    assert row["dt75_censored"] == "undefined"
