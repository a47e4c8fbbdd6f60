"""Noise has the spectrum it is named after, and nothing where recordings have nothing."""

import numpy as np
import pytest
from support.levels import power_db

from speechdt.audio import noise
from speechdt.audio.speech_band import BAND_HZ, speech_band

SECONDS = 60
# Levels of third-octave bands, as Byrne et al. (1994) give them for men and women together.
PUBLISHED = {100: 54.4, 200: 60.2, 400: 62.1, 630: 60.5, 1000: 53.7, 2000: 48.7, 4000: 45.6}


def drawn(colour):
    return noise.coloured(colour, SECONDS * 16_000, np.random.default_rng(1)).astype(np.float64)


def band_power(samples, low, high):
    """Power between two frequencies, by Parseval's theorem."""
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / 16_000)
    return 2 * spectrum[(hertz >= low) & (hertz < high)].sum() / len(samples) ** 2


@pytest.mark.parametrize("colour", noise.COLOURS)
def test_noise_has_unit_power_and_nothing_below_50_hz(colour):
    samples = drawn(colour)
    assert power_db(samples) == pytest.approx(0, abs=1e-5)
    assert band_power(samples, 0, 49.9) < 1e-12


def test_speech_shaped_noise_has_the_published_level_in_every_band():
    samples = drawn(noise.SPEECH_SHAPED)
    levels = {}
    for hertz in PUBLISHED:
        centre = 1000 * 10 ** (round(10 * np.log10(hertz / 1000)) / 10)
        levels[hertz] = 10 * np.log10(band_power(samples, centre / 10**0.05, centre * 10**0.05))
    offset = levels[1000] - PUBLISHED[1000]
    assert {hertz: level - offset for hertz, level in levels.items()} == pytest.approx(
        PUBLISHED, abs=0.15
    )


def share_db(exponent):
    """Share of power in the band of speech, in dB, of noise of density 1 / f ** exponent."""

    def integral(low, high):
        if exponent == 1:
            return np.log(high / low)
        return (high ** (1 - exponent) - low ** (1 - exponent)) / (1 - exponent)

    return 10 * np.log10(integral(*BAND_HZ) / integral(50, 8000))


@pytest.mark.parametrize(("colour", "exponent"), [("white", 0), ("pink", 1), ("brown", 2)])
def test_the_share_of_a_colour_in_the_band_of_speech_is_its_integral(colour, exponent):
    inside = speech_band(drawn(colour).astype(np.float32))
    assert power_db(inside) == pytest.approx(share_db(exponent), abs=0.1)


def test_tones_pass_the_band_or_do_not():
    time = np.arange(3200) / 16_000
    for hertz, passed in [(150, 0), (280, 0), (320, 1), (1000, 1), (3300, 1), (3500, 0)]:
        tone = np.sin(2 * np.pi * hertz * time).astype(np.float32)
        share = np.mean(speech_band(tone)[800:2400] ** 2) / np.mean(tone[800:2400] ** 2)
        assert share == pytest.approx(passed, abs=0.01)
