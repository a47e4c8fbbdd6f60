"""Energy: how far a clip rises above its own quiet frames, the least that a detector should beat.

The score of a frame of 20 ms is the share of its power above the clip's noise floor, the lowest
decile of its frames: 0 at the floor, 1 − floor/power above it (the gain of a Wiener filter). Frames
follow each other; the score is pooled over them. The level of the clip cancels out; nothing is
learned, there are no weights. A bark or a slammed door scores as high as speech.
"""

from collections.abc import Sequence

import numpy as np

from speechdt import SAMPLE_RATE, hookimpl, stage
from speechdt.detectors.frame_scores import Pooling, cut, pool_all

FRAME = 320  # samples
QUIET = 0.1  # share of the frames that are taken for the floor
TINY = 1e-12  # power of nothing: −120 dBFS


class Energy:
    """Share of power above the clip's own floor.

    Parameters
    ----------
    pooling : {"max", "top3", "mean"}
        See `speechdt.detectors.frame_scores.Pooling`.
    """

    gpus = 0
    shortest_ms = FRAME * 1000 / SAMPLE_RATE
    own_level = False

    def __init__(self, pooling: Pooling = "max"):
        self.pooling = pooling

    def score(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Return P(speech) for each clip, float64 (clips,)."""
        return pool_all(map(self.frames, clips), self.pooling)

    def frames(self, clip: np.ndarray) -> np.ndarray:
        """Return the share of power above the floor of each frame, float64 (frames,)."""
        with stage("features"):
            power = np.mean(cut(clip, FRAME).astype(np.float64) ** 2, axis=1) + TINY
        with stage("forward"):
            return 1 - np.minimum(np.quantile(power, QUIET) / power, 1)


@hookimpl
def detectors():
    """Offer the detector ``energy``."""
    return {"energy": Energy}
