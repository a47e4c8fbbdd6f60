"""Mixture of a target and a background at an exact SNR, and the level of the clip."""

import numpy as np
from numpy.typing import NDArray

PEAK = 10 ** (-1 / 20)
"""Peak of a clip under the level rule ``peak``: 1 dB below full scale."""
RMS = 10 ** (-26 / 20)
"""Root mean square of a clip under the level rule ``rms``: 26 dB below full scale."""


def mix(
    target: NDArray[np.float32], background: NDArray[np.float32], snr_db: float
) -> NDArray[np.float64]:
    """Add the background to the target, scaled so that the clip has exactly this SNR.

    SNR = 10 log10(mean power of the target / mean power of the background), both over the clip.

    Parameters
    ----------
    target, background : float32 arrays, (samples,)
    snr_db : float
        In dB.

    Returns
    -------
    float64 array, (samples,)

    Raises
    ------
    ValueError
        If either has no power.
    """
    signal, noise = power(target), power(background)
    if signal == 0 or noise == 0:
        raise ValueError("no SNR: the target or the background is silent")
    gain = np.sqrt(signal / (noise * 10 ** (snr_db / 10)))
    return np.asarray(target + gain * background.astype(np.float64), dtype=np.float64)


def set_level(clip: NDArray[np.floating], rule: str) -> NDArray[np.float32]:
    """Scale a clip by one rule for all classes, so that loudness says nothing about the label.

    Parameters
    ----------
    clip : float array, (samples,)
    rule : {"peak", "rms"}
        `PEAK`, or `RMS` as long as the peak stays below full scale.
    """
    loudest = float(np.abs(clip).max())
    gain = PEAK / loudest
    if rule == "rms":
        gain = min(RMS / float(np.sqrt(power(clip))), 1 / loudest)
    return np.asarray(clip * gain, dtype=np.float32)


def power(samples: NDArray[np.floating]) -> float:
    """Return the mean square of `samples`."""
    return float(np.mean(np.square(samples, dtype=np.float64)))
