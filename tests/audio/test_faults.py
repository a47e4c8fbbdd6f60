"""Faults of recordings are measured as they were made."""

import numpy as np
import pytest
import soundfile

from speechdt.audio import faults, mixing
from speechdt.audio import io as audio_io

RATE = 16_000


@pytest.fixture
def voice(rng):
    """Something like speech: noise that comes and goes four times a second."""
    time = np.arange(6 * RATE) / RATE
    return 0.1 * rng.standard_normal(len(time)) * (1 + np.sin(2 * np.pi * 4 * time)) / 2


@pytest.mark.parametrize("seconds", [0.5, 2, 6])
@pytest.mark.parametrize("mains", [50, 60, 49.98])
@pytest.mark.parametrize("db", [-20, -6, 3])
def test_hum_with_its_harmonics_is_as_strong_as_it_was_made(voice, db, mains, seconds):
    time = np.arange(int(seconds * RATE)) / RATE
    part = voice[: len(time)]
    hum = sum(
        np.sin(2 * np.pi * mains * number * time + number) / number for number in (1, 2, 3, 5)
    )
    hum *= np.sqrt(np.mean(part**2) / np.mean(hum**2) * 10 ** (db / 10))
    measured = faults.hum_db((part + hum).astype(np.float32))
    # What noise holds by chance at these frequencies counts, and more of it in half a second.
    assert measured == pytest.approx(db, abs=1.0 if db > -10 else 4.0)
    assert faults.hum_db(part.astype(np.float32)) < -10


def test_what_only_lies_near_the_mains_is_no_hum(voice):
    time = np.arange(len(voice)) / RATE
    glide = np.sin(2 * np.pi * np.cumsum(110 + 15 * np.sin(2 * np.pi * 0.7 * time)) / RATE)
    assert faults.hum_db((voice + glide).astype(np.float32)) < faults.LIMITS["hum"]


def test_clipped_samples_are_counted(voice):
    loud = np.clip(8 * voice, -0.8, 0.8).astype(np.float32)
    expected = 0.0
    for value in (-0.8, 0.8):
        there = loud == np.float32(value)
        inside = there & np.roll(there, 1) & np.roll(there, -1)
        expected += (inside | np.roll(inside, 1) | np.roll(inside, -1)).sum() / len(loud)
    assert faults.clipped(loud) == pytest.approx(expected, rel=1e-3)
    assert faults.clipped(loud) > faults.LIMITS["clipping"]
    assert faults.clipped(voice.astype(np.float32)) == 0
    tone = 0.9 * np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE)
    assert faults.clipped(tone.astype(np.float32)) < faults.LIMITS["clipping"]
    assert faults.clipped(np.zeros(RATE, np.float32)) == 0


@pytest.mark.parametrize(
    ("fault", "make"),
    [
        ("offset", lambda clean, time: clean + 0.2),
        ("rumble", lambda clean, time: clean + 0.3 * np.sin(2 * np.pi * 12 * time)),
        ("hum", lambda clean, time: clean + 0.1 * np.sin(2 * np.pi * 100 * time)),
        ("clipping", lambda clean, time: np.clip(20 * clean, -0.9, 0.9)),
        ("", lambda clean, time: clean),
    ],
)
def test_each_fault_is_named(tmp_path, voice, fault, make):
    soundfile.write(tmp_path / "a.wav", make(voice, np.arange(len(voice)) / RATE), RATE)
    assert faults.named(*audio_io.load(tmp_path / "a.wav")[2:]) == fault


def test_antiphase_offset_and_rumble_leave_the_snr_as_it_is_said(tmp_path, rng, voice):
    """The figure that all of this is for: a nominal 0 dB is 0 dB of the voice, within 0.1 dB."""
    time = np.arange(len(voice)) / RATE
    dirt = 0.3 + 0.2 * np.sin(2 * np.pi * 9 * time)
    hiss = 0.001 * rng.standard_normal((2, len(voice)))
    stereo = np.stack([voice + hiss[0] + dirt, -voice + hiss[1] + dirt], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, RATE, subtype="FLOAT")
    target = audio_io.read(tmp_path / "a.wav")[RATE : 2 * RATE]
    noise = rng.standard_normal(RATE).astype(np.float32)
    clip = mixing.mix(target, noise, 0.0)
    part = voice[RATE : 2 * RATE]
    kept = np.vdot(clip, part) / np.vdot(part, part)
    snr_db = 10 * np.log10(kept**2 * np.mean(part**2) / np.mean((clip - kept * part) ** 2))
    assert snr_db == pytest.approx(0, abs=0.1)
