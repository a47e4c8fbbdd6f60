"""WebRTC's voice activity detector (D1): Gaussian mixtures on six sub-band energies.

The detector answers yes or no for each frame and adapts to what it has heard, so every clip gets a
fresh one. Its four modes are four operating points; the share of voiced frames over all of them is
the finest score that it can give.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import webrtcvad

from speechdt import SAMPLE_RATE, hookimpl, stage

MODES = range(4)


class WebRTC:
    """Mean share of voiced frames over the aggressiveness modes 0 to 3, or in one of them.

    Parameters
    ----------
    frame_ms : {10, 20, 30}
        Length of a frame in ms. Samples after the last whole frame are not heard.
    mode : {0, 1, 2, 3} or None
        One mode alone (3 calls the fewest frames voiced), instead of all four.
    """

    gpus = 0
    takes_int16 = True

    @staticmethod
    def shortest_ms(frame_ms: int = 10, **_: object) -> int:
        """Return the duration of a frame in ms."""
        return frame_ms

    def __init__(self, frame_ms: Literal[10, 20, 30] = 10, mode: Literal[0, 1, 2, 3] | None = None):
        self.frame = SAMPLE_RATE * frame_ms // 1000
        self.modes = MODES if mode is None else [mode]

    def score(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Return P(speech) for each clip, float64 (clips,)."""
        return np.array([self._score(clip) for clip in clips], dtype=np.float64)

    def _score(self, clip: np.ndarray) -> float:
        with stage("features"):
            frames = self._frames(clip)
        with stage("forward"):
            voiced = [
                vad.is_speech(frame, SAMPLE_RATE)
                for vad in map(webrtcvad.Vad, self.modes)
                for frame in frames
            ]
        with stage("post"):
            return float(np.mean(voiced))

    def _frames(self, clip: np.ndarray) -> list[bytes]:
        if len(clip) < self.frame:
            raise ValueError(f"clip of {len(clip)} samples is shorter than a frame ({self.frame})")
        pcm = (np.clip(clip, -1, 1) * 32767).astype(np.int16)
        starts = range(0, len(pcm) - self.frame + 1, self.frame)
        return [pcm[start : start + self.frame].tobytes() for start in starts]


@hookimpl
def detectors():
    """Offer the detector ``webrtc``."""
    return {"webrtc": WebRTC}
