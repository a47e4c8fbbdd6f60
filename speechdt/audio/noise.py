"""Synthetic noise: white, pink and brown."""

import re

import numpy as np
from numpy.typing import NDArray

from speechdt.audio.rate import SAMPLE_RATE

EXPONENTS = {"white": 0.0, "pink": 1.0, "brown": 2.0}
"""Power density of each colour falls as 1 / frequency ** exponent."""
LOWEST_HZ = 20.0
"""Nothing lies below, where power that nobody hears would count in the SNR."""
PATH = re.compile(r"noise:(white|pink|brown)/(\d+)")
RMS = 0.1
"""Root mean square of a noise that stands for a recording, of full scale."""


def coloured(colour: str, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw noise of a colour, float32 (samples,), of unit power."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    hertz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE)
    heard = hertz >= LOWEST_HZ
    spectrum[~heard] = 0
    spectrum[heard] *= hertz[heard] ** (-EXPONENTS[colour] / 2)
    noise = np.fft.irfft(spectrum, samples)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), dtype=np.float32)


def noise_path(colour: str, number: int, seconds: float) -> str:
    """Name a noise as if it were a recording; `audio.read` makes it from its name."""
    return f"noise:{colour}/{number:05d}#t=0.000,{seconds:.3f}"


def recording(name: str, start_s: float, stop_s: float) -> NDArray[np.float32] | None:
    """Make a noise by its :func:`noise_path`, float32 (samples,); None for any other name."""
    named = PATH.fullmatch(name)
    if named is None:
        return None
    first, last = round(start_s * SAMPLE_RATE), round(stop_s * SAMPLE_RATE)
    # Of no seed of the configuration: a recording is the same in every run.
    rng = np.random.default_rng([list(EXPONENTS).index(named[1]), int(named[2])])
    return RMS * coloured(named[1], last, rng)[first:]
