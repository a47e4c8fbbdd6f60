"""Activity of a recording, by one energy rule for every class.

Crops are taken there and nowhere else, so that no clip is silence by accident. The rule knows
nothing of speech: a detector under test that chose the clips would look better than it is.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from speechdt.audio.rate import SAMPLE_RATE

_Kind = TypeVar("_Kind", bound=np.generic)

FRAME_MS = 10
FRAME = SAMPLE_RATE * FRAME_MS // 1000
FLOOR_DB = -60.0
"""No frame below this level is active (dB of full scale)."""
RANGE_DB = 30.0
"""An active frame lies at most this far below the loud frames (95th percentile)."""
LOUD = 0.95


def active_frames(samples: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say for each frame of 10 ms whether the recording is active.

    Parameters
    ----------
    samples : float32 array, (samples,)
        Recording at 16 kHz.

    Returns
    -------
    bool array, (samples // 160,)
    """
    count = len(samples) // FRAME
    frames = samples[: count * FRAME].reshape(count, FRAME)
    energy = np.einsum("ij,ij->i", frames, frames)
    # Samples of 1e19 times full scale are read without a word, and have no finite energy.
    energy = np.minimum(energy, np.finfo(np.float32).max).astype(np.float64)
    level = 10 * np.log10(energy / FRAME + 1e-12)
    if count == 0:
        return np.zeros(0, dtype=bool)
    return np.asarray(level >= max(FLOOR_DB, _loud(level) - RANGE_DB), dtype=bool)


def _loud(level: NDArray[np.float64]) -> float:
    """Return the 95th percentile of finite levels, in a fifth of the time of `np.percentile`."""
    place = (len(level) - 1) * LOUD
    below = int(place)
    above = min(below + 1, len(level) - 1)
    partitioned = np.partition(level, (below, above))
    low, high = float(partitioned[below]), float(partitioned[above])
    share = place - below
    # From the nearer of the two, as numpy has it.
    return low + (high - low) * share if share < 0.5 else high - (high - low) * (1 - share)


def crop_starts(
    active: NDArray[np.bool_], durations_ms: Sequence[int], least: float
) -> NDArray[np.int64]:
    """Return the frames at which a crop may start.

    A crop has the longest of the durations; the middle of it that each shorter duration keeps must
    be active as well.

    Parameters
    ----------
    active : bool array, (frames,)
        From :func:`active_frames`.
    durations_ms : sequence of int
        Nested durations in ms.
    least : float
        Least share of active frames in each of them.

    Returns
    -------
    int array
        Start frames, ascending.
    """
    longest = _frames(max(durations_ms))
    count = len(active) - longest + 1
    if count <= 0:
        return np.zeros(0, dtype=np.int64)
    total = np.concatenate([[0], np.cumsum(active)])
    fits = np.ones(count, dtype=bool)
    for duration_ms in durations_ms:
        length = _frames(duration_ms)
        first = np.arange(count) + (longest - length) // 2
        fits &= total[first + length] - total[first] >= least * length
    return np.flatnonzero(fits)


def middle(samples: NDArray[_Kind], duration_ms: int) -> NDArray[_Kind]:
    """Return the middle `duration_ms` of the samples of a crop, (duration_ms * 16,)."""
    length = duration_ms * SAMPLE_RATE // 1000
    start = (len(samples) - length) // 2
    return samples[start : start + length]


def to_runs(active: NDArray[np.bool_]) -> list[int]:
    """Pack frames into the lengths of alternating runs, the first one inactive."""
    edges = np.flatnonzero(np.diff(active.astype(np.int8), prepend=0))
    return [int(length) for length in np.diff(np.concatenate([[0], edges, [len(active)]]))]


def from_runs(runs: Sequence[int]) -> NDArray[np.bool_]:
    """Unpack :func:`to_runs`."""
    return np.repeat(np.arange(len(runs)) % 2 == 1, np.asarray(runs, dtype=np.int64))


def _frames(duration_ms: int) -> int:
    return -(-duration_ms // FRAME_MS)
