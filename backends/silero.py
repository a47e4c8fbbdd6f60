"""Silero VAD, version 6 (D2): a small recurrent network, one probability for each 32 ms.

The ONNX graph that ships in the package is run by onnxruntime itself, a whole clip at a time: no
torch is loaded. The state starts at zero for each clip.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from speechdt import hookimpl, stage

if TYPE_CHECKING:
    import silero_vad  # noqa: F401 - its network is what runs: scores are kept by its version

FRAME = 512  # samples: the network takes exactly this many at 16 kHz
CONTEXT = 64  # samples of the frame before it that the network sees again
STATE = (1, 1, 128)


class Silero:
    """Speech probabilities of the frames, pooled over the clip.

    Parameters
    ----------
    pooling : {"max", "topk"}
        Highest frame probability, or the mean of the `k` highest. (A mean over all frames would
        punish short clips: the state starts cold.)
    k : int
        Frames that ``topk`` takes.
    """

    gpus = 0

    def __init__(self, pooling: Literal["max", "topk"] = "max", k: int = 3):
        import onnxruntime

        self.k = 1 if pooling == "max" else k
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        with stage("load"):
            self.session = onnxruntime.InferenceSession(
                _model_file(), options, providers=["CPUExecutionProvider"]
            )

    def score(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Return P(speech) for each clip, float64 (clips,)."""
        return np.array([self._score(clip) for clip in clips], dtype=np.float64)

    def _score(self, clip: np.ndarray) -> float:
        with stage("features"):
            frames = frames_with_context(clip)
        with stage("forward"):
            zeros = np.zeros(STATE, dtype=np.float32)
            (probabilities,) = self.session.run(
                ["speech_probs"], {"input": frames, "h": zeros, "c": zeros}
            )
        with stage("post"):
            return float(np.sort(probabilities.ravel())[-self.k :].mean())


def frames_with_context(clip: np.ndarray) -> np.ndarray:
    """Cut a clip into frames, each behind the end of the one before it.

    Parameters
    ----------
    clip : float32 array, (samples,)
        Samples after the last whole frame are not heard: no clip is padded.

    Returns
    -------
    float32 array, (frames, 576)
    """
    count = len(clip) // FRAME
    if count == 0:
        raise ValueError(f"clip of {len(clip)} samples is shorter than a frame ({FRAME})")
    padded = np.zeros(CONTEXT + count * FRAME, dtype=np.float32)
    padded[CONTEXT:] = clip[: count * FRAME]
    windows = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT + FRAME)[::FRAME]
    return np.ascontiguousarray(windows)


def _model_file() -> str:
    # Importing silero_vad would load torch; its folder is all that is needed.
    spec = find_spec("silero_vad")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package silero-vad is not installed")
    return str(Path(spec.submodule_search_locations[0]) / "data/silero_vad_16k_sequence.onnx")


@hookimpl
def detectors():
    """Offer the detector ``silero``."""
    return {"silero": Silero}
