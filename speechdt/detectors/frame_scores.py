"""Common parts of detectors that answer frame by frame: frames, 16-bit samples, pooling."""

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Pooling = Literal["max", "top3", "mean"]
"""Highest frame, mean of the three highest (of all, if there are fewer), or mean of all frames."""

FULL_SCALE = 32767


def pool(probabilities: ArrayLike, pooling: Pooling) -> float:
    """Return the score of a clip from those of its frames.

    Parameters
    ----------
    probabilities : array_like, (frames,)
        At least one.
    pooling : {"max", "top3", "mean"}
    """
    values = np.asarray(probabilities, dtype=np.float64).ravel()
    if pooling == "max":
        return float(values.max())
    highest = np.sort(values)[-3:] if pooling == "top3" else values
    return float(highest.mean())


def pool_all(clips: Iterable[ArrayLike], pooling: Pooling) -> NDArray[np.float64]:
    """Return the scores of clips from those of their frames, float64 (clips,); see `pool`."""
    if pooling != "max":
        return np.array([pool(probabilities, pooling) for probabilities in clips], dtype=np.float64)
    # All at once: a call of numpy takes as long as a small detector takes for a frame.
    frames = [np.asarray(probabilities, dtype=np.float64).ravel() for probabilities in clips]
    if not frames:
        return np.empty(0)
    if not all(own.size for own in frames):
        raise ValueError("a clip without a frame has no score")
    starts = np.cumsum([0, *map(len, frames[:-1])])
    return np.maximum.reduceat(np.concatenate(frames), starts)


def require_samples(clip: NDArray[np.float32], least: int, unit: str = "a frame") -> None:
    """Refuse a clip with fewer than `least` samples.

    Raises
    ------
    ValueError
        Naming both lengths.
    """
    if len(clip) < least:
        raise ValueError(f"clip of {len(clip)} samples is shorter than {unit} ({least})")


def cut(clip: NDArray[np.float32], frame: int) -> NDArray[np.float32]:
    """Cut a clip into frames that follow each other.

    Parameters
    ----------
    clip : array, (samples,)
        Samples after the last whole frame are not heard: no clip is padded.
    frame : int
        Samples of a frame.

    Returns
    -------
    array, (frames, frame)

    Raises
    ------
    ValueError
        If the clip is shorter than a frame.
    """
    require_samples(clip, frame)
    return clip[: len(clip) // frame * frame].reshape(-1, frame)


def pcm16(clip: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return 16-bit samples, what is beyond full scale clipped."""
    return (np.clip(clip, -1, 1) * FULL_SCALE).astype(np.int16)
