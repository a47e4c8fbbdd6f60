"""Presentations of a stored clip to a detector: its level, and its container."""

import numpy as np
import pytest

from speechdt.audio.mixing import set_level
from speechdt.audio.presentation import AS_STORED, Presentation, gain_db, rms_db

LENGTHS = (640, 3200, 16_000)


def clip(rng, samples):
    return set_level(rng.normal(0, 1, samples) * np.hanning(samples), "peak")


@pytest.mark.parametrize("samples", LENGTHS)
@pytest.mark.parametrize("level", [-60, -38, -20, -3.5])
def test_a_clip_has_the_level_that_was_asked_for(rng, samples, level):
    presented = Presentation.of(level)(clip(rng, samples))
    assert presented.dtype == np.float32
    measured = 10 * np.log10(np.mean(presented.astype(np.float64) ** 2))
    assert measured == pytest.approx(level, abs=1e-6)


def test_only_the_gain_differs(rng):
    stored = clip(rng, 3200)
    presented = Presentation.of(-30)(stored)
    gain = 10 ** (gain_db(stored, -30) / 20)
    np.testing.assert_allclose(presented, stored * gain, rtol=1e-6)
    assert gain_db(stored, -30) == pytest.approx(-30 - rms_db(stored))


def test_as_stored_is_the_clip_itself_and_silence_stays_silence(rng):
    stored = clip(rng, 640)
    assert AS_STORED(stored) is stored
    silence = np.zeros(640, np.float32)
    np.testing.assert_array_equal(Presentation.of(-20)(silence), silence)


def test_a_mirrored_lead_in_is_the_clip_backwards(rng):
    stored = clip(rng, 640)
    presented = Presentation.of(container="mirrored")(stored)
    np.testing.assert_array_equal(presented[:640], stored[::-1])
    np.testing.assert_array_equal(presented[640:], stored)


def test_a_container_of_noise_has_the_clip_in_its_middle_and_is_80_db_down(rng):
    stored = clip(rng, 3200)
    presentation = Presentation.of(container={"noise_ms": 2000})
    presented = presentation(stored)
    assert len(presented) == 32_000
    np.testing.assert_array_equal(presented[14_400:17_600], stored)
    around = np.concatenate([presented[:14_400], presented[17_600:]])
    assert rms_db(around) == pytest.approx(-80, abs=0.2)
    np.testing.assert_array_equal(presentation(stored), presented)
    other = presentation(clip(rng, 3200))
    assert not np.array_equal(other[:14_400], presented[:14_400])


def test_the_level_is_that_of_the_clip_not_of_its_container(rng):
    presented = Presentation.of(-30, {"noise_ms": 1000})(clip(rng, 3200))
    assert rms_db(presented[6400:9600]) == pytest.approx(-30, abs=1e-6)


def test_a_clip_that_does_not_fit_is_refused(rng):
    with pytest.raises(ValueError, match=r"clip of 3200 samples is longer than its container"):
        Presentation.of(container={"noise_ms": 100})(clip(rng, 3200))


@pytest.mark.parametrize("container", ["none", "mirrored", {"noise_ms": 500}])
@pytest.mark.parametrize("level", ["stored", -26.0])
def test_a_presentation_is_told_as_it_is_configured(level, container):
    settings = Presentation.of(level, container).to_dict()
    assert settings == {"level": level, "container": container}
    assert Presentation.of(**settings) == Presentation.of(level, container)
