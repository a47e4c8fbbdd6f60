"""Acoustic fingerprints that survive re-encoding, a shift in time and a change of level.

After Haitsma & Kalker (2002), *A highly robust audio fingerprinting system*, ISMIR: each bit says
whether the difference in level between two neighbouring bands rises or falls over time. A level is
no matter, since bits are signs of differences of logarithms. Windows are shorter than theirs, so
that a clip of 250 ms has some thirty frames.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from speechdt.audio.rate import SAMPLE_RATE

WINDOW, HOP = 1024, 128
"""Samples of a frame and between two: 64 ms and 8 ms."""
LAG = 8
"""Frames over which a difference is taken: 64 ms, so that the two windows do not overlap."""
BITS = 22
LOWEST_HZ, HIGHEST_HZ = 250.0, 4000.0
"""What telephone speech and low bit rates keep."""
SILENT = 1e-6
"""Power in the loudest band of a silent frame (-100 dB of full scale, less than a step of 16 bits).
Its bits would say how a filter dies away, which is alike in all recordings that end in silence."""
WEAK = 4
"""Bits of a frame that are the likeliest to flip, and are tried both ways."""

_CHUNK = 4096  # frames whose spectra are held at a time: some 20 MB


class Fingerprint(NamedTuple):
    """Bits of the frames of one recording.

    Attributes
    ----------
    words : int32 array, (frames,)
        `BITS` bits of each frame; 0 where it is silent.
    weak : int32 array, (frames,)
        Places of the `WEAK` bits whose differences are the smallest, 5 bits each.
    """

    words: NDArray[np.int32]
    weak: NDArray[np.int32]


def fingerprint(samples: NDArray[np.float32]) -> Fingerprint:
    """Return the fingerprint of a recording at 16 kHz, float32 (samples,)."""
    frames = len(samples) // HOP + 1
    starts = range(0, max(frames - LAG, 1), _CHUNK)
    parts = [_bits(samples, start, min(start + _CHUNK + LAG, frames)) for start in starts]
    words, weak = (np.concatenate(of) for of in zip(*parts, strict=True))
    return Fingerprint(words, weak)


def _bits(
    samples: NDArray[np.float32], first: int, last: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return words and weak bits of the frames from `first` on, `LAG` fewer than to `last`."""
    start, end = first * HOP - WINDOW // 2, (last - 1) * HOP + WINDOW // 2
    inside = samples[max(start, 0) : end]
    padded = np.pad(inside, (max(-start, 0), max(end - max(start, 0) - len(inside), 0)))
    levels = _band_levels(np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP])
    across = np.diff(levels, axis=1)
    change = across[LAG:] - across[:-LAG]
    words = (change > 0) @ (1 << np.arange(BITS))
    audible = levels.max(axis=1) > np.log(SILENT)
    words[~(audible[LAG:] & audible[:-LAG])] = 0
    weakest = np.argsort(np.abs(change), axis=1)[:, :WEAK]
    weak = weakest @ (1 << 5 * np.arange(WEAK))
    return words.astype(np.int32), weak.astype(np.int32)


def variants(print_: Fingerprint) -> NDArray[np.int32]:
    """Return the words of each frame with its weak bits both ways, int32 (frames, 2 ** WEAK)."""
    places = (print_.weak[:, None] >> 5 * np.arange(WEAK)) & 31
    chosen = (np.arange(2**WEAK)[:, None] >> np.arange(WEAK)) & 1
    masks = (1 << places).astype(np.int32) @ chosen.T.astype(np.int32)
    return np.asarray(print_.words[:, None] ^ masks, dtype=np.int32)


def _edges() -> NDArray[np.int64]:
    """Return the bins at which the bands begin, and the end: spaced like pitch, a bin at least."""
    hertz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BITS + 2)
    bins = np.round(hertz * WINDOW / SAMPLE_RATE).astype(np.int64)
    for band in range(1, len(bins)):
        bins[band] = max(bins[band], bins[band - 1] + 1)
    return bins


_EDGES = _edges()
_HANN = np.hanning(WINDOW).astype(np.float32)


def _band_levels(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(frames * _HANN, axis=1)[:, : _EDGES[-1]]
    power = spectrum.real.astype(np.float64) ** 2 + spectrum.imag.astype(np.float64) ** 2
    return np.asarray(np.log(np.add.reduceat(power, _EDGES[:-1], axis=1) + 1e-12))
