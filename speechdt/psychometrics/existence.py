"""Existence of a threshold on a curve: whether there is a rise that could reach a proportion.

A curve through rates that are 50 % everywhere has a DT50 somewhere in the range, and no meaning. So
a threshold needs three things: clips enough behind each criterion; a guess rate that is below the
proportion by more than its own uncertainty; and rates that rise with the level by more than theirs.
Where they do not rise, all may still lie on one side of the proportion, and so does the threshold.
"""

import numpy as np

from speechdt.arrays import Floats
from speechdt.psychometrics import curve
from speechdt.psychometrics.rates import Rates
from speechdt.statistics import bootstrap

UNDEFINED = "undefined"


def censored(rates: Rates, fit: curve.Fit, proportion: float) -> str:
    """Return why there is no threshold at a proportion.

    Returns
    -------
    str
        ``undefined``; ``<`` or ``>`` where it lies below or above the tested levels; or empty.
    """
    if not rates.trusted or not has_margin(rates, proportion):
        return UNDEFINED
    own = str(fit.censored(proportion)[0])
    if own == UNDEFINED or rises(rates, fit.levels):
        return own
    low, high = _extremes(rates)
    return "<" if low > proportion else ">" if high < proportion else UNDEFINED


def has_margin(rates: Rates, proportion: float) -> bool:
    """Say whether the guess rate is surely below a proportion, at every level."""
    highest = rates.guess if rates.guess.ndim == 1 else rates.guess.max(1)
    upper = bootstrap.interval(highest[0], highest[1:], rates.groups)[1]
    return bool(np.fmax(upper, highest[0]) < proportion)


def rises(rates: Rates, levels: Floats) -> bool:
    """Say whether the slope of a line through the observed rates is surely above 0."""
    weight = rates.trials / rates.trials.sum(1, keepdims=True)
    centred = levels - (weight * levels).sum(1, keepdims=True)
    observed = np.nan_to_num(rates.rates)
    slope = (weight * centred * observed).sum(1) / (weight * centred**2).sum(1)
    low = bootstrap.interval(slope[0], slope[1:], rates.groups)[0]
    return bool(low > 0) if np.isfinite(low) else bool(slope[0] > 0)


def _extremes(rates: Rates) -> tuple[float, float]:
    """Return the lower bound of the lowest rate, and the upper bound of the highest."""
    defined = ~np.isnan(rates.rates)
    lowest = np.where(defined, rates.rates, 1.0).min(1)
    highest = np.where(defined, rates.rates, 0.0).max(1)
    low = bootstrap.interval(lowest[0], lowest[1:], rates.groups)[0]
    high = bootstrap.interval(highest[0], highest[1:], rates.groups)[1]
    return float(low), float(high)
