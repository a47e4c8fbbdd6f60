"""The high-pass is scipy's, and neither an offset nor a short clip leaves a trace at the edges."""

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from speechdt.audio.highpass import PAD, highpass

RATE = 16_000
BUTTERWORTH = butter(2, 50, "highpass", fs=RATE, output="sos")


@pytest.mark.parametrize("length", [1, 2, 3, 320, 1600, 1601, 3200, 4097, 80_000, 500_001])
@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_it_is_scipy_s_forwards_and_backwards(rng, length, offset):
    samples = (rng.normal(0, 0.2, length) + offset).astype(np.float32)
    mirrored = np.pad(samples.astype(np.float64), PAD, mode="reflect")
    expected = sosfiltfilt(BUTTERWORTH, mirrored, padlen=0)[PAD:-PAD]
    passed = highpass(samples)
    assert passed.dtype == np.float32
    np.testing.assert_allclose(passed, expected, atol=1e-6)


@pytest.mark.parametrize("length", [320, 3200, 16_000])
def test_a_steady_offset_is_gone_from_the_first_sample_to_the_last(rng, length):
    samples = rng.normal(0, 0.01, length).astype(np.float32)
    with_offset = highpass(samples + np.float32(0.9))
    np.testing.assert_allclose(with_offset, highpass(samples), atol=2e-6)
    assert np.abs(highpass(np.full(length, 0.9, dtype=np.float32))).max() < 1e-6


@pytest.mark.parametrize(("hertz", "left_db"), [(10, -56), (25, -24.6), (50, -6), (200, 0)])
def test_what_is_left_of_a_tone(hertz, left_db):
    tone = np.sin(2 * np.pi * hertz * np.arange(4 * RATE) / RATE).astype(np.float32)
    middle = slice(RATE, 3 * RATE)
    left = np.sqrt(np.mean(highpass(tone)[middle] ** 2) / np.mean(tone[middle] ** 2))
    assert 20 * np.log10(left) == pytest.approx(left_db, abs=0.3)
    shift = np.argmax(np.correlate(highpass(tone)[middle], tone[middle], "same")) - RATE
    assert abs(shift) <= 1  # no phase
