"""Band of speech: the components of a sound from 300 to 3400 Hz.

Noise of most colours has much of its power elsewhere, where it hides no speech: brown noise is
several dB easier than its SNR over the whole band.
"""

import numpy as np
from numpy.typing import NDArray

from speechdt.audio.rate import SAMPLE_RATE

BAND_HZ = (300.0, 3400.0)
"""Band of telephone speech (ITU-T G.712)."""
PAD = SAMPLE_RATE // 10
"""Samples by which either edge is mirrored, so that no step there spreads over all frequencies."""


def speech_band(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what lies in `BAND_HZ`, and nothing else, float64 (samples,)."""
    from scipy.fft import next_fast_len  # asked for at no start of the workflow

    pad = min(PAD, len(samples) - 1)
    length = next_fast_len(len(samples) + 2 * pad, real=True)
    mirrored = np.pad(samples.astype(np.float64), (pad, length - len(samples) - pad), "reflect")
    spectrum = np.fft.rfft(mirrored)
    hertz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    spectrum[(hertz < BAND_HZ[0]) | (hertz >= BAND_HZ[1])] = 0
    return np.asarray(np.fft.irfft(spectrum, length)[pad : pad + len(samples)])
