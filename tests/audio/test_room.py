"""Impulse responses: reverberation times measured back, alignment, level, and measured ones."""

import numpy as np
import pytest
from support.publishers import decaying, rirs_noises

from speechdt.audio import room
from speechdt.audio.mixing import power
from speechdt.audio.unusable import UnusableAudio

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("rt60_s", [0.3, 1.0, 2.5])
def test_the_reverberation_time_of_an_exponential_decay_is_found(rt60_s):
    tail = decaying(rt60_s, RNG)
    tail[0] = 0.05
    assert room.rt60(tail) == pytest.approx(rt60_s, rel=0.05)


def test_what_does_not_decay_has_no_reverberation_time():
    assert np.isnan(room.rt60(np.zeros(100)))
    assert np.isnan(room.rt60(np.array([1.0])))


@pytest.mark.parametrize("rt60_s", [0.3, 1.0, 2.5])
def test_synthetic_responses_have_the_reverberation_time_that_was_asked_for(rt60_s):
    responses = room.synthetic(rt60_s, 3, seed=5)
    again = room.synthetic(rt60_s, 3, seed=5)
    for one, same in zip(responses, again, strict=True):
        assert room.rt60(one.samples) == pytest.approx(rt60_s, rel=0.1)
        assert np.abs(one.samples).argmax() == 0  # the direct sound comes first
        assert np.array_equal(one.samples, same.samples)
    assert not np.array_equal(responses[0].samples, room.synthetic(rt60_s, 1, seed=6)[0].samples)


def test_a_clip_in_a_room_keeps_level_length_and_onset():
    clip = np.zeros(8000)
    clip[2000:2400] = RNG.normal(size=400)
    reverberant = room.reverberant(clip, decaying(0.3, RNG))
    assert len(reverberant) == len(clip)
    assert power(reverberant) == pytest.approx(power(clip), rel=1e-9)
    assert not np.any(np.abs(reverberant[:2000]) > 1e-9)  # nothing before the direct sound
    assert np.abs(reverberant[2400:]).max() > 0  # and something after it


def test_a_response_of_one_sample_changes_nothing():
    clip = RNG.normal(size=500)
    assert room.reverberant(clip, np.array([1.0])) == pytest.approx(clip)


def test_measured_responses_are_found_by_their_reverberation_time(tmp_path):
    folder = rirs_noises(tmp_path, rt60s=[0.35, 1.1, 2.4])
    assert len(room.response_files(folder)) == 3
    (response,) = room.measured(folder, 0.3, 0.2)
    assert response.name == "RVB2014_type1_rir_largeroom1_far_angla.wav"
    assert np.abs(response.samples).argmax() == 0
    assert response.rt60_s == pytest.approx(0.35, rel=0.15)
    (response,) = room.measured(folder, 1, 0.2)
    assert response.name == "air_type1_air_binaural_lecture_0_1.wav"


def test_a_folder_without_such_a_room_is_named(tmp_path):
    folder = rirs_noises(tmp_path, rt60s=[0.35])
    with pytest.raises(UnusableAudio, match=r"none of 1 .* reverberation time of 2.5 s"):
        room.by_name(["2.5"], str(folder), tolerance_s=0.2, count=1, seed=0)


def test_the_table_tells_of_every_response():
    rows = room.table(room.by_name(["0.3"], None, tolerance_s=0.2, count=2, seed=0))
    assert [row["room"] for row in rows] == ["0.3", "0.3"]
    assert all(row["rt60_s"] == pytest.approx(0.3, rel=0.1) for row in rows)
