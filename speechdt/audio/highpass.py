"""High-pass at 50 Hz for all recordings, which removes offset, rumble and wind.

Below it lie offset, rumble and wind, which nobody hears and which would count in every SNR. It is
Butterworth's filter of order 2, run forwards and backwards, as `scipy.signal.sosfiltfilt` does.
That takes longer than all else that is done with a recording when a corpus is indexed, so that it
is computed here in blocks, as products of small matrices: in a fifth of the time, and the same to
rounding.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from speechdt.audio.rate import SAMPLE_RATE

CUTOFF_HZ = 50.0
"""Where the two passes together take away 6 dB."""
ORDER = 2
PAD = SAMPLE_RATE // 10
"""Samples by which either edge is mirrored: 22 time constants, farther than the filter reaches."""

PIECE = 1 << 20
"""Samples that are filtered at a time where there are many: 4 MiB."""

_BLOCK = 32
_BLOCKS = 128  # in one product: few enough that no BLAS divides it among threads

_Matrix = NDArray[np.float32]


@lru_cache(maxsize=1)
def _matrices() -> tuple[_Matrix, _Matrix, _Matrix, complex]:
    """Return what a block makes of itself, what it sends, what it makes of that, and their pole.

    The response of both passes is ``g δ[n] + Re(w p^|n|)``, by partial fractions of H(z) H(1/z):
    all that lies before a block acts on it as one complex number, and all that lies after it too.
    """
    from scipy.signal import butter  # half a second of every job that reads no recording

    _, (pole, _), gain = butter(ORDER, CUTOFF_HZ, "highpass", fs=SAMPLE_RATE, output="zpk")
    decay = (pole - pole.conjugate()) * (1 - pole**2) * (1 - abs(pole) ** 2)
    weight = 2 * gain**2 * (pole - 1) ** 4 / (pole * decay)
    place = np.arange(_BLOCK)
    own = np.real(weight * pole ** np.abs(place[:, None] - place))
    own += gain**2 / abs(pole) ** 2 * np.eye(_BLOCK)
    sent = [pole ** (_BLOCK - 1 - place), pole**place]
    received = [weight * pole ** (place + 1), weight * pole ** (_BLOCK - place)]
    send = np.stack([part for p in sent for part in (p.real, p.imag)], axis=1)
    receive = np.stack([part for p in received for part in (p.real, -p.imag)])
    matrices = (own.astype(np.float32), send.astype(np.float32), receive.astype(np.float32))
    return *matrices, complex(pole**_BLOCK)


def highpass(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take away what lies below `CUTOFF_HZ`.

    Edges are mirrored: of what could stand beyond them this comes closest to what was cut off, and
    a steady offset leaves no trace.

    Parameters
    ----------
    samples : float32 array, (samples,)
        At 16 kHz, at least one.

    Returns
    -------
    float32 array, (samples,)
    """
    from scipy.signal import lfilter

    own, send, receive, pole = _matrices()
    blocks = _blocks(samples)
    sent = (blocks @ send).reshape(-1, 4).astype(np.float64).view(np.complex128)
    # Forwards to all blocks that follow, and backwards to all that come before.
    flows = np.stack([sent[:, 0], sent[::-1, 1]])
    forwards, backwards = lfilter([0, 1], [1, -pole], flows)
    received = np.stack([forwards, backwards[::-1]], axis=1).view(np.float64).astype(np.float32)
    passed = blocks @ own
    passed += received.reshape(-1, _BLOCKS, 4) @ receive
    return np.asarray(passed.reshape(-1)[PAD : PAD + len(samples)])


def highpass_in_place(samples: NDArray[np.float32]) -> None:
    """Take the same away from a long recording, piece by piece, in the memory that it has.

    Each piece is filtered with `PAD` samples on either side, so that the result is that of
    :func:`highpass` to rounding.
    """
    before: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
    for start in range(0, len(samples), PIECE):
        piece = samples[start : start + PIECE]
        with_edges = np.concatenate([before, samples[start : start + PIECE + PAD]])
        first = len(before)
        before = piece[-PAD:].copy()
        piece[:] = highpass(with_edges)[first : first + len(piece)]


def _blocks(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mirror the edges, fill up with zeros, and return blocks, (products, `_BLOCKS`, `_BLOCK`)."""
    count = len(samples)
    products = -(-(count + 2 * PAD) // (_BLOCKS * _BLOCK))
    flat = np.empty(products * _BLOCKS * _BLOCK, dtype=np.float32)
    flat[PAD : PAD + count] = samples
    if count > PAD:
        flat[:PAD] = samples[PAD:0:-1]
        flat[PAD + count : 2 * PAD + count] = samples[-2 : -PAD - 2 : -1]
    else:  # mirrored more than once
        flat[:PAD] = np.pad(samples, (PAD, 0), mode="reflect")[:PAD]
        flat[PAD + count : 2 * PAD + count] = np.pad(samples, (0, PAD), mode="reflect")[-PAD:]
    flat[2 * PAD + count :] = 0
    return flat.reshape(products, _BLOCKS, _BLOCK)
