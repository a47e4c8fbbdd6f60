"""TEN VAD: a small recurrent network on pitch and mel features, one probability for each 16 ms.

The score is the pooled probability of its frames: 256 samples (or 160), one after the other, as
16-bit samples; each clip gets a fresh detector. Weights are compiled into the package ten-vad.

Its licence is Apache-2.0 with conditions, among them that it may not be deployed so as to compete
with Agora's offerings: read it before you build on it. For that reason it is not installed by
default. Linux on x86-64 (where it needs the system's libc++) and macOS.
https://github.com/TEN-framework/ten-vad
"""

import ctypes
import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from speechdt import hookimpl, stage
from speechdt.detectors.frame_scores import Pooling, cut, pcm16, pool_all
from speechdt.detectors.packages import WITH_VADS, loading, package_file
from speechdt.errors import SpeechdtError

if TYPE_CHECKING:
    import ten_vad  # noqa: F401 - scores are kept by its version

LINUX, MACOS = "lib/Linux/x64/libten_vad.so", "lib/macOS/ten_vad.framework/Versions/A/ten_vad"
LIBRARIES = {
    ("Linux", "x86_64"): LINUX,
    ("Darwin", "x86_64"): MACOS,
    ("Darwin", "arm64"): MACOS,
}


class Ten:
    """Speech probabilities of the frames, pooled over the clip.

    Parameters
    ----------
    pooling : {"max", "top3", "mean"}
        See `speechdt.detectors.frame_scores.Pooling`.
    frame : {256, 160}
        Samples of a frame: 16 or 10 ms.
    """

    gpus = 0
    takes_int16 = True
    vendor_threshold = 0.5  # threshold of ten_vad.TenVad

    def __init__(self, pooling: Pooling = "max", frame: Literal[256, 160] = 256):
        self.pooling, self.frame = pooling, frame
        self.check()
        with stage("load"), loading("ten_vad", WITH_VADS):
            from ten_vad import TenVad

            self.build = TenVad

    @classmethod
    def check(cls, **options: object) -> None:
        """Refuse a missing package, another machine, and the lack of a library of the system."""
        machine = platform.system(), platform.machine()
        if machine not in LIBRARIES:
            raise SpeechdtError(f"the package ten_vad has no library for {' on '.join(machine)}")
        library = package_file("ten_vad", LIBRARIES[machine], WITH_VADS)
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            raise SpeechdtError(_what_to_install(str(error))) from error

    def score(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Return P(speech) for each clip, float64 (clips,)."""
        return pool_all(map(self.frames, clips), self.pooling)

    def frames(self, clip: np.ndarray) -> list[float]:
        """Return P(speech) of each frame."""
        with stage("features"):
            frames = cut(pcm16(clip), self.frame)
        with stage("forward"):
            network = self.build(self.frame)
            return [network.process(frame)[0] for frame in frames]


def _what_to_install(message: str) -> str:
    missing = message.split(":")[0]
    if missing.startswith("libc++"):
        return f"the package ten_vad needs {missing} of the system: apt-get install libc++1"
    return f"the library of the package ten_vad does not load: {message.splitlines()[0]}"


@hookimpl
def detectors():
    """Offer the detector ``ten``."""
    return {"ten": Ten}
