"""earshot: a small recurrent network, one probability for each 16 ms.

The score is the pooled probability of its frames: 256 samples, one after the other; its memory is
emptied before each clip. Weights are compiled into the package, which is MIT or Apache-2.0.
https://github.com/pykeio/earshot

Level counts, and much: at the level of trials (peak −1 dBFS) it hears worse than 20 dB below.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from speechdt import SAMPLE_RATE, hookimpl, stage
from speechdt.detectors.frame_scores import Pooling, cut, pool_all
from speechdt.detectors.packages import imported, loading, package_file

if TYPE_CHECKING:
    import earshot  # noqa: F401 - scores are kept by its version

INSTALL = "pip install earshot"
FRAME = 256  # samples: the network takes exactly this many at 16 kHz


class Earshot:
    """Speech probabilities of the frames, pooled over the clip.

    Parameters
    ----------
    pooling : {"max", "top3", "mean"}
        See `speechdt.detectors.frame_scores.Pooling`.
    """

    gpus = 0
    shortest_ms = FRAME * 1000 / SAMPLE_RATE
    vendor_threshold = 0.5  # "scores over 0.5 can generally be considered voice"

    def __init__(self, pooling: Pooling = "max"):
        self.pooling = pooling
        with stage("load"), loading("earshot", INSTALL):
            from earshot import Detector

            self.network = Detector()

    @classmethod
    def check(cls, **options: object) -> None:
        """Refuse a missing package, or one made for another machine."""
        package_file("earshot", "__init__.py", INSTALL)
        imported("earshot", INSTALL)

    def score(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Return P(speech) for each clip, float64 (clips,)."""
        return pool_all(map(self.frames, clips), self.pooling)

    def frames(self, clip: np.ndarray) -> list[float]:
        """Return P(speech) of each frame."""
        with stage("forward"):
            self.network.reset()
            return list(map(self.network.predict_f32, cut(clip, FRAME)))


@hookimpl
def detectors():
    """Offer the detector ``earshot``."""
    return {"earshot": Earshot}
