"""Synthetic backgrounds: noise whose power falls with frequency as white, pink or brown noise."""

import numpy as np
from numpy.typing import NDArray

from speechdt.detector import SAMPLE_RATE

EXPONENTS = {"white": 0.0, "pink": 1.0, "brown": 2.0}
"""Power density of each colour falls as 1 / frequency ** exponent."""
LOWEST_HZ = 20.0
"""Nothing lies below, where power that nobody hears would count in the SNR."""


def coloured(colour: str, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw noise of a colour, float32 (samples,), of unit power."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    hertz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE)
    heard = hertz >= LOWEST_HZ
    spectrum[~heard] = 0
    spectrum[heard] *= hertz[heard] ** (-EXPONENTS[colour] / 2)
    noise = np.fft.irfft(spectrum, samples)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), dtype=np.float32)
