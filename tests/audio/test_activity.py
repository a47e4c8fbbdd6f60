"""Crops are taken where a recording is active."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from speechdt.audio.activity import active_frames, crop_starts, from_runs, middle, to_runs

RATE = 16_000


def test_pauses_are_not_active():
    rng = np.random.default_rng(0)
    loud, pause = rng.normal(0, 0.1, RATE), rng.normal(0, 0.0005, RATE)
    active = active_frames(np.concatenate([pause, loud, pause]).astype(np.float32))
    assert active[100:200].all()
    assert not active[:100].any()
    assert not active[200:].any()


def test_a_recording_below_the_floor_is_never_active():
    assert not active_frames(np.full(RATE, 1e-4, dtype=np.float32)).any()


def test_every_nested_crop_is_active_enough(rng):
    active = rng.random(400) < 0.6
    starts = crop_starts(active, [200, 500, 1000], 0.7)
    for start in range(301):
        shares = [
            active[start + o : start + o + n].mean() for o, n in ((40, 20), (25, 50), (0, 100))
        ]
        assert (start in starts) == all(share >= 0.7 for share in shares)


def test_a_recording_that_is_too_short_has_no_crop():
    assert len(crop_starts(np.ones(99, dtype=bool), [1000], 0.7)) == 0


def test_middle():
    np.testing.assert_array_equal(middle(np.arange(160, dtype=np.float32), 5), np.arange(40, 120))


@given(arrays(bool, st.integers(1, 60)))
def test_runs_are_packed_without_loss(active):
    np.testing.assert_array_equal(from_runs(to_runs(active)), active)


def test_least_active_is_inclusive():
    active = np.array([True] * 7 + [False] * 3)
    assert crop_starts(active, [100], 0.7).tolist() == [0]
    assert crop_starts(active, [100], pytest.approx(0.71).expected).tolist() == []
