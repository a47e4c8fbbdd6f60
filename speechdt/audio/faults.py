"""Faults of recordings that are measured as they are read: offset, rumble, hum and clipping.

What lies below 50 Hz is taken away, and named all the same; hum and clipping stay as they are.
"""

import numpy as np
from numpy.typing import NDArray

from speechdt.audio.rate import SAMPLE_RATE

MAINS_HZ = (50, 60)
"""Frequencies of the mains; hum holds these and their multiples."""
HARMONICS = 8
"""Multiples that count, the frequency itself included."""
PERIOD = SAMPLE_RATE // 10
"""Samples after which mains of both frequencies, and all multiples, come round again."""
TOGETHER = 20
"""Periods that are averaged before power is taken: the mains keep their phase for two seconds."""
NEAR = 1e-4
"""Share of the extreme within which a sample counts as being there."""
LEAST_RUN = 3
"""Samples in a row at the extreme, from which they are clipped."""
LEAST_POWER = 1e-12
"""Power that counts as none (-120 dB of full scale)."""

LIMITS = {"offset": 0.01, "rumble": 0.0, "hum": -10.0, "clipping": 0.001}
"""From which value on a recording is said to have a fault: offset of full scale, rumble and hum in
dB over the rest, clipped share of the samples."""


def _waves() -> NDArray[np.float32]:
    """Return cosine and sine of each frequency that hum may hold, over a period."""
    cycles = np.outer(MAINS_HZ, np.arange(1, HARMONICS + 1)).ravel() / SAMPLE_RATE
    phase = 2 * np.pi * np.outer(np.arange(PERIOD), cycles)
    return np.stack([np.cos(phase), np.sin(phase)], axis=2).reshape(PERIOD, -1).astype(np.float32)


_WAVES = _waves()


def hum_db(samples: NDArray[np.float32]) -> float:
    """Return the power of hum over that of the rest, in dB.

    The mean over periods of a tenth of a second keeps what comes round in it, such as 50 and 60 Hz
    with all multiples, and of anything else a twentieth.

    Parameters
    ----------
    samples : float32 array, (samples,)
        At 16 kHz, before any high-pass.

    Returns
    -------
    float
        The stronger one of 50 and 60 Hz, with `HARMONICS` multiples; −120 of what is shorter than
        two periods.
    """
    periods = min(len(samples) // PERIOD, TOGETHER)
    if periods < 2:
        return -120.0
    whole = len(samples) // (periods * PERIOD)
    used = samples[: whole * periods * PERIOD]
    # A product of matrices takes a sixth of the time of a mean.
    folded = np.full(periods, 1 / periods, np.float32) @ used.reshape(whole, periods, PERIOD)
    # The power of a sinusoid is that of its two coordinates, each twice its mean square.
    shares = np.square(folded @ _WAVES * (2 / PERIOD)).mean(axis=0) / 2
    hum = float(shares.reshape(len(MAINS_HZ), -1).sum(axis=1).max())
    rest = float(np.dot(used, used)) / len(used) - float(folded.mean()) ** 2 - hum
    return float(10 * np.log10(max(hum, LEAST_POWER) / max(rest, LEAST_POWER)))


def clipped(samples: NDArray[np.float32]) -> float:
    """Return the share of samples that stand at the highest or lowest value, in runs of three.

    Parameters
    ----------
    samples : float32 array, (samples,)
        As they were recorded, at any rate.
    """
    highest, lowest = samples.max(), samples.min()
    if not lowest < 0 < highest:
        return 0.0
    count = RunCount(highest, lowest)
    if not count.has_a_run(samples):
        return 0.0
    count.add(samples)
    return count.total / len(samples)


class RunCount:
    """Counts samples that stand at an extreme in runs of three and more, block by block.

    Parameters
    ----------
    highest, lowest : float32
        Extremes of all samples.

    Attributes
    ----------
    total : int
    """

    def __init__(self, highest: np.float32, lowest: np.float32):
        self._highest, self._lowest = highest * (1 - NEAR), lowest * (1 - NEAR)
        self._open = [0, 0]
        self.total = 0

    def has_a_run(self, samples: NDArray[np.float32]) -> bool:
        """Say whether enough samples stand at an extreme for a run: in most recordings few do."""
        sides = (samples >= self._highest, samples <= self._lowest)
        return any(np.count_nonzero(there) >= LEAST_RUN for there in sides)

    def add(self, samples: NDArray[np.float32]) -> None:
        """Count a block; a run may have begun in the one before."""
        for side, there in enumerate((samples >= self._highest, samples <= self._lowest)):
            places, before = np.flatnonzero(there), self._open[side]
            if len(places) == 0:
                self._open[side] = 0
                continue
            breaks = np.flatnonzero(np.diff(places) > 1) + 1
            runs = np.diff(np.concatenate([[0], breaks, [len(places)]]))
            if there[0]:
                runs[0] += before
                self.total -= before if before >= LEAST_RUN else 0  # it is counted already
            self.total += int(runs[runs >= LEAST_RUN].sum())
            self._open[side] = int(runs[-1]) if there[-1] else 0


def named(offset: float, rumble_db: float, hum_db: float, clipped: float) -> str:
    """Return the faults that a recording has, 'offset, hum' say, '' if none."""
    values = {"offset": abs(offset), "rumble": rumble_db, "hum": hum_db, "clipping": clipped}
    return ", ".join(name for name, limit in LIMITS.items() if values[name] >= limit)
