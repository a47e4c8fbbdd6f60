"""Synthetic noise: white, pink, brown, and shaped like the average spectrum of speech."""

import re

import numpy as np
from numpy.typing import NDArray

from speechdt.audio.rate import SAMPLE_RATE

EXPONENTS = {"white": 0.0, "pink": 1.0, "brown": 2.0}
"""Power density of each colour falls as 1 / frequency ** exponent."""
SPEECH_SHAPED = "speech_shaped"
COLOURS = (*EXPONENTS, SPEECH_SHAPED)
SPEECH_SPECTRUM = {
    63: 38.6, 80: 43.5, 100: 54.4, 125: 57.7, 160: 56.8, 200: 60.2, 250: 60.3, 315: 59.0, 400: 62.1,
    500: 62.1, 630: 60.5, 800: 56.8, 1000: 53.7, 1250: 53.0, 1600: 52.0, 2000: 48.7, 2500: 48.1,
    3150: 46.8, 4000: 45.6, 5000: 44.5, 6300: 44.3, 8000: 43.7,
}  # fmt: skip
"""Long-term average spectrum of speech: level of each third-octave band by its nominal centre in
Hz, in dB SPL of speech at 70 dB: 17 samples of 12 languages, men and women together (Byrne et al.
1994, J. Acoust. Soc. Am. 96, 2108-2120, doi:10.1121/1.410152)."""
LOWEST_HZ = 50.0
"""Nothing lies below, as in recordings (`highpass`): most of brown noise's power would, unheard."""
PATH = re.compile(r"noise:(white|pink|brown)/(\d+)")
RMS = 0.1
"""Root mean square of a noise that stands for a recording, of full scale."""


def coloured(colour: str, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw noise of one of `COLOURS`, float32 (samples,), of unit power."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    hertz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE)
    passband = hertz >= LOWEST_HZ
    spectrum[~passband] = 0
    if colour == SPEECH_SHAPED:
        spectrum[passband] *= np.sqrt(_speech_density(hertz[passband]))
    else:
        spectrum[passband] *= hertz[passband] ** (-EXPONENTS[colour] / 2)
    noise = np.fft.irfft(spectrum, samples)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), dtype=np.float32)


def _speech_density(hertz: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the power density of speech at some frequencies, flat within each third of an octave.

    So every band has the level that was measured; below the lowest band, and in what is left
    above the highest one, it goes on as there.
    """
    # Exact centres of the bands (IEC 61260): 1 kHz and tenths of a decade from there.
    place = np.round(10 * np.log10(hertz / 1000)).astype(int)
    numbers = np.round(10 * np.log10(np.array(list(SPEECH_SPECTRUM)) / 1000)).astype(int)
    place = np.clip(place, numbers[0], numbers[-1]) - numbers[0]
    centres = 1000 * 10 ** (numbers / 10)
    width = centres * (10**0.05 - 10**-0.05)
    density = 10 ** (np.array(list(SPEECH_SPECTRUM.values())) / 10) / width
    return np.asarray(density[place])


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
