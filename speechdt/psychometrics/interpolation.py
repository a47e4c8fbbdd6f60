"""Thresholds by linear interpolation, as many studies publish them, beside those of fitted curves.

Between two neighbouring levels the rate is taken to run straight, along the level or its logarithm.
The threshold is where it first rises through a proportion. There is no guess or lapse rate, no
count and no interval in this, and one rate that is off by chance moves it by a step.
"""

from typing import NamedTuple

import numpy as np

from speechdt.arrays import Floats
from speechdt.psychometrics.existence import UNDEFINED

STEEP = 0.10
"""Rise in rate from one level to the next from which two ways to a threshold should agree."""


class Crossing(NamedTuple):
    """Where interpolated rates reach a proportion.

    Attributes
    ----------
    level : float
        NaN if censored.
    censored : str
        ``<`` or ``>`` where it lies below or above the levels; or ''.
    times : int
        How often the rates cross the proportion, up or down.
    rise : float
        Rise in rate from the level below the crossing to that above.
    below, above : float
        These two levels.
    """

    level: float
    censored: str
    times: int
    rise: float
    below: float
    above: float


def crossing(levels: Floats, rates: Floats, proportion: float) -> Crossing:
    """Interpolate between levels.

    Parameters
    ----------
    levels : (L,) array
        Increasing.
    rates : (L,) array
    proportion : float

    Returns
    -------
    Crossing
    """
    above = np.asarray(rates) >= proportion
    times = int(np.sum(above[1:] != above[:-1]))
    if not above.any():
        return Crossing(np.nan, ">", times, np.nan, np.nan, np.nan)
    first = int(above.argmax())
    if first == 0:
        return Crossing(np.nan, "<", times, np.nan, np.nan, np.nan)
    low, high = (float(rates[place]) for place in (first - 1, first))
    ends = (float(levels[first - 1]), float(levels[first]))
    level = ends[0] + (ends[1] - ends[0]) * (proportion - low) / (high - low)
    return Crossing(level, "", times, high - low, *ends)


def why_apart(
    interpolated: Crossing, fitted: float, fitted_censored: str, proportion: float, guess: float
) -> str:
    """Say why an interpolated and a fitted threshold differ; '' where they agree.

    They agree if they are less than half a step apart, or if both say the same of where the
    threshold lies outside of the levels.

    Parameters
    ----------
    interpolated : Crossing
    fitted : float
        NaN if censored.
    fitted_censored : str
        See `curve.Fit.censored`.
    proportion : float
    guess : float
        Guess rate of the curve.
    """
    if fitted_censored == UNDEFINED:
        if guess >= proportion:
            return f"guessing alone gives {guess:.0%}, so no level is a threshold"
        return "the rates do not rise by more than their uncertainty"
    if interpolated.censored or fitted_censored:
        if interpolated.censored == fitted_censored:
            return ""
        return "one of the two lies outside of the levels: the curve smooths the rates at their end"
    if abs(fitted - interpolated.level) <= (interpolated.above - interpolated.below) / 2:
        return ""
    if interpolated.times > 1:
        return f"the rates cross {proportion:.0%} {interpolated.times} times; the first counted"
    if interpolated.rise < STEEP:
        return (
            f"flat there: from one level to the next the rate rises by {interpolated.rise:.0%}, "
            "less than chance moves it"
        )
    return "the curve goes by all levels, with its guess and lapse rates"
