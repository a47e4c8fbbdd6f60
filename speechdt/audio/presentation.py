"""Presentation of a stored clip to a detector: its level and its container.

Trials are stored at one level (`speechdt.audio.mixing`). What a detector hears is the stored clip
brought to its presentation level, and then, where it asks for one, put into a container.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speechdt.audio.mixing import power
from speechdt.audio.rate import SAMPLE_RATE

STORED = "stored"
"""Level of a clip that is left as it is."""
ALONE, MIRRORED = "none", "mirrored"
"""Containers: the clip alone, and the clip behind itself played backwards."""
NOISE = "noise_ms"
"""Key of the third container: the clip in the middle of so many ms of noise."""
FLOOR = 10 ** (-80 / 20)
"""Root mean square of that noise: 80 dB below full scale."""


@dataclass(frozen=True)
class Presentation:
    """Level and container of the clips of a detector.

    Attributes
    ----------
    level : float or None
        Root mean square of the whole clip in dB of full scale, at each duration; None as stored. A
        clip of digital silence stays one. Samples may exceed full scale.
    mirrored : bool
        Whether the clip stands behind itself played backwards.
    noise_ms : int
        Length of the white noise that the clip stands in the middle of, in ms; 0: of none. The
        noise hangs on the stored clip alone.
    """

    level: float | None = None
    mirrored: bool = False
    noise_ms: int = 0

    @classmethod
    def of(cls, level: Any = STORED, container: Any = ALONE) -> "Presentation":
        """Return the presentation that a configuration names.

        Parameters
        ----------
        level : "stored" or float
        container : "none", "mirrored" or {"noise_ms": int}
        """
        noise_ms = int(container[NOISE]) if isinstance(container, Mapping) else 0
        return cls(None if level == STORED else float(level), container == MIRRORED, noise_ms)

    @property
    def plain(self) -> bool:
        """Whether clips are heard as they are stored."""
        return self == AS_STORED

    def to_dict(self) -> dict[str, Any]:
        """Return level and container as a configuration names them."""
        container: Any = MIRRORED if self.mirrored else ALONE
        container = {NOISE: self.noise_ms} if self.noise_ms else container
        return {"level": STORED if self.level is None else self.level, "container": container}

    def __call__(self, clip: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what is heard of a stored clip; the clip itself is left as it is.

        Parameters
        ----------
        clip : float32 array, (samples,)

        Raises
        ------
        ValueError
            If the clip is longer than its container.
        """
        played = clip if self.level is None else at_level(clip, self.level)
        if self.mirrored:
            played = np.concatenate([played[::-1], played])
        return _in_noise(played, clip, self.noise_ms) if self.noise_ms else played


AS_STORED = Presentation()
"""What leaves clips as they are."""


def rms_db(clip: NDArray[np.floating]) -> float:
    """Return the root mean square of a clip in dB of full scale; of silence minus infinity."""
    mean_square = power(clip)
    return float(10 * np.log10(mean_square)) if mean_square else -np.inf


def at_level(clip: NDArray[np.float32], level: float) -> NDArray[np.float32]:
    """Return a clip at a root mean square of `level` dB of full scale."""
    present = rms_db(clip)
    if np.isinf(present):
        return clip
    return (clip * 10 ** ((level - present) / 20)).astype(np.float32)


def gain_db(clip: NDArray[np.float32], level: float | None) -> float:
    """Return by how many dB a clip is raised to reach a level (None: as stored)."""
    present = rms_db(clip)
    return 0.0 if level is None or np.isinf(present) else level - present


def _in_noise(
    played: NDArray[np.float32], stored: NDArray[np.float32], noise_ms: int
) -> NDArray[np.float32]:
    samples = SAMPLE_RATE * noise_ms // 1000
    before = (samples - len(played)) // 2
    if before < 0:
        raise ValueError(f"clip of {len(played)} samples is longer than its container ({samples})")
    seed = hashlib.sha256(np.ascontiguousarray(stored).tobytes()).digest()[:8]
    noise = np.random.default_rng(int.from_bytes(seed, "little")).normal(0, FLOOR, samples)
    noise[before : before + len(played)] = played
    return noise.astype(np.float32)
