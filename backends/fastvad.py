"""fast-vad: logistic regression on eight band energies above a running noise floor, each 32 ms.

It answers yes or no to a threshold of probability; the noise floor follows the frames that it calls
silent, so that it depends on the threshold too. The probability of a frame is therefore read off a
ladder of thresholds: the share of those at which the frame is speech, without any of its smoothing
in time. The score is that share, pooled over frames: 512 samples, one after the other. Weights are
compiled into the package, which is MIT or Apache-2.0. https://github.com/AtharvBhat/fast-vad
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from speechdt import SAMPLE_RATE, hookimpl, stage
from speechdt.detectors.frame_scores import Pooling, pool_all, require_samples
from speechdt.detectors.packages import imported, loading, package_file

if TYPE_CHECKING:
    import fast_vad  # noqa: F401 - scores are kept by its version

INSTALL = "pip install fast-vad"
FRAME = 512  # samples; those after the last whole frame are not heard


class FastVAD:
    """Share of the thresholds at which a frame is speech, pooled over the clip.

    Parameters
    ----------
    pooling : {"max", "top3", "mean"}
        See `speechdt.detectors.frame_scores.Pooling`.
    thresholds : int
        Of the ladder, evenly spaced between 0 and 1; scores have that many steps.
    """

    gpus = 0
    shortest_ms = FRAME * 1000 / SAMPLE_RATE

    def __init__(self, pooling: Pooling = "max", thresholds: int = 50):
        self.pooling = pooling
        ladder = np.arange(1, thresholds + 1) / (thresholds + 1)
        with stage("load"), loading("fast_vad", INSTALL):
            from fast_vad import VAD

            self.vads = [VAD.with_config(SAMPLE_RATE, float(t), 0, 0, 0) for t in ladder]

    @classmethod
    def check(cls, **options: object) -> None:
        """Refuse a missing package, one made for another machine, and a ladder without a rung."""
        package_file("fast_vad", "__init__.py", INSTALL)
        imported("fast_vad", INSTALL)
        if options.get("thresholds", 1) < 1:
            raise ValueError("option 'thresholds' must be at least 1")

    def score(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Return P(speech) for each clip, float64 (clips,)."""
        return pool_all(map(self.frames, clips), self.pooling)

    def frames(self, clip: np.ndarray) -> np.ndarray:
        """Return the share of thresholds at which each frame is speech, float64 (frames,)."""
        require_samples(clip, FRAME)
        with stage("forward"):
            return np.mean([vad.detect_frames(clip) for vad in self.vads], axis=0)


@hookimpl
def detectors():
    """Offer the detector ``fastvad``."""
    return {"fastvad": FastVAD}
