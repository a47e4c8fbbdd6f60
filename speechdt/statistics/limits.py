"""Limits of figures that resampling cannot move: rates of 0 and 1, and metrics made of these.

If all of 13 speakers are heard without an error, no resample of them has one, and an interval of
the resamples alone has no width. Yet one speaker in ten may be badly heard, and 13 have none of
them one time in four. A rate of 0 or 1 therefore has the exact binomial limits of as many trials as
it has groups (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404). Balanced accuracy is given the
limits that follow from those of its two rates by the method of variance estimates recovery (MOVER;
Zou & Donner 2008, doi:10.1002/sim.3095); precision, F1, d' and the criterion, which rise or fall
with each rate, those of the corners of the limits of both. Any other figure that is the same in
each resample may be another in as large a share of groups as may have gone unseen.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from scipy.special import ndtri

from speechdt.arrays import Floats

Limits: TypeAlias = dict[str, tuple[float, float]]
"""Low and high end of each figure."""

SAME = 1e-12
"""Width below which a figure is the same in each resample."""
OF_RATES = {
    "balanced_accuracy": ("speech_accuracy", "nonspeech_accuracy"),
    "balanced_accuracy_half": ("speech_accuracy_half", "nonspeech_accuracy_half"),
}
RANGES = {"confidence_gap": (-1.0, 1.0)}
"""Of figures that are bounded, but not by 0 and 1."""


def unseen(groups: int, level: float = 0.95) -> float:
    """Return the largest share of groups that all of `groups` may have missed, at one tail."""
    return float(1 - ((1 - level) / 2) ** (1 / groups))


def of_rate(value: float, low: float, high: float, groups: int) -> tuple[float, float]:
    """Return limits of a rate, exact where it is 0 or 1.

    Parameters
    ----------
    value, low, high : float
        The rate, and its interval from resampling.
    groups : int
        How many groups it rests on.
    """
    if value >= 1 - SAME:
        low = min(low, 1 - unseen(groups))
    if value <= SAME:
        high = max(high, unseen(groups))
    return low, high


def mover(
    one: tuple[float, float, float], other: tuple[float, float, float]
) -> tuple[float, float]:
    """Return limits of the mean of two independent rates from (value, low, high) of each."""
    below = np.hypot(one[0] - one[1], other[0] - other[1]) / 2
    above = np.hypot(one[2] - one[0], other[2] - other[0]) / 2
    mean = (one[0] + other[0]) / 2
    return float(mean - below), float(mean + above)


def widened(
    values: Mapping[str, float], limits: Limits, groups: tuple[int, int], sizes: tuple[float, float]
) -> Limits:
    """Return limits of all metrics, wider where resampling does not move what they are made of.

    Parameters
    ----------
    values : mapping
        Metrics by name.
    limits : mapping
        Interval of each from resampling.
    groups, sizes : (float, float)
        Groups and trials of SPEECH and of NONSPEECH.
    """
    wider = dict(limits)
    for name, behind in _behind(groups).items():
        if name in wider:
            wider[name] = of_rate(values[name], *wider[name], behind)
    for name, of in OF_RATES.items():
        if name in wider and any(_at_end(values[rate]) for rate in of):
            ends = mover(*((values[rate], *wider[rate]) for rate in of))
            wider[name] = _union(wider[name], ends)
    rates = OF_RATES["balanced_accuracy"]
    if all(rate in wider for rate in rates) and any(_at_end(values[rate]) for rate in rates):
        corners = [(hit, right) for hit in wider[rates[0]] for right in wider[rates[1]]]
        for name, function in _functions(sizes).items():
            if name in wider:
                at = [function(*corner) for corner in corners]
                wider[name] = _union(wider[name], (min(at), max(at)))
    for name, (low, high) in wider.items():
        if high - low <= SAME and name not in ("dprime", "criterion"):
            least, most = RANGES.get(name, (0.0, 1.0))
            share = unseen(min(count for count in groups if count))
            value = values[name]
            wider[name] = (value - share * (value - least), value + share * (most - value))
    return wider


def _behind(groups: tuple[int, int]) -> dict[str, int]:
    """Return how many groups each rate rests on."""
    speech, nonspeech = groups
    return {
        **dict.fromkeys(("speech_accuracy", "recall_speech", "speech_accuracy_half"), speech),
        **dict.fromkeys(
            ("nonspeech_accuracy", "recall_nonspeech", "nonspeech_accuracy_half"), nonspeech
        ),
        "accuracy": speech + nonspeech,
    }


def _at_end(rate: float) -> bool:
    return rate <= SAME or rate >= 1 - SAME


def _union(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return min(one[0], other[0]), max(one[1], other[1])


def _functions(sizes: tuple[float, float]) -> dict[str, Callable[[float, float], float]]:
    """Return metrics as functions of the rates of right answers in both classes."""
    speech, nonspeech = sizes

    def precision(right: float, of: float, wrong: float) -> float:
        return right * of / (right * of + wrong) if right * of + wrong > 0 else 0.0

    def f1(right: float, of: float, wrong: float) -> float:
        return 2 * right * of / (right * of + wrong + of)

    def z(rate: float, of: float) -> float:
        return float(ndtri((rate * of + 0.5) / (of + 1)))

    return {
        "precision_speech": lambda hit, no: precision(hit, speech, (1 - no) * nonspeech),
        "precision_nonspeech": lambda hit, no: precision(no, nonspeech, (1 - hit) * speech),
        "f1_speech": lambda hit, no: f1(hit, speech, (1 - no) * nonspeech),
        "f1_nonspeech": lambda hit, no: f1(no, nonspeech, (1 - hit) * speech),
        "dprime": lambda hit, no: z(hit, speech) - z(1 - no, nonspeech),
        "criterion": lambda hit, no: -(z(hit, speech) + z(1 - no, nonspeech)) / 2,
    }


def clipped(name: str, low: Floats, high: Floats) -> tuple[float, float]:
    """Return limits within the range of a metric: few groups may lead out of it."""
    if name in ("dprime", "criterion"):
        return float(low), float(high)
    least, most = RANGES.get(name, (0.0, 1.0))
    return float(np.clip(low, least, most)), float(np.clip(high, least, most))
