"""Curves of a part of the trials, with as many replicates as the bounds of their thresholds need.

A threshold that a few replicates have beyond the range, or far from where most have it, has a bound
that hangs on how many these are, and so on the seed. Such curves get further draws. If these do not
help either, the bound is not claimed: its interval is open on that side.
"""

from collections.abc import Callable, Sequence

import numpy as np

from speechdt.arrays import Floats
from speechdt.psychometrics import curve
from speechdt.psychometrics.decided import Draws
from speechdt.psychometrics.existence import UNDEFINED, censored
from speechdt.psychometrics.rates import KINDS, Rates, rates
from speechdt.psychometrics.strata import Part
from speechdt.statistics import bootstrap
from speechdt.statistics.metrics import STEADY

PROPORTIONS = {"dt50": 0.50, "dt75": 0.75}
AT_EDGE = 0.05
"""In halves of the interval."""
MOST_BLOCKS = 8
"""Times as many replicates, at most: each refits all curves of a kind."""
ENOUGH = 32_000
"""Replicates that place a bound, or it is not claimed."""
UNCLAIMED = 0.05
"""Monte-Carlo standard error of so many that is too much for a bound, in halves of the interval."""
HOPELESS = 0.10
"""The same, seen in fewer replicates, and so roughly: no further ones are drawn."""


def curves_of(part: Part, draws: Sequence[Draws]) -> tuple[dict[str, Rates], dict[str, curve.Fit]]:
    """Return the rates of each kind, and the curves that are fitted to them."""
    of_kinds = rates(part, draws)
    return of_kinds, _fits(part, of_kinds)


def steadied_curves(
    part: Part, draws: Callable[[int], Sequence[Draws]], blocks: int
) -> tuple[dict[str, Rates], dict[str, curve.Fit]]:
    """Return the same, with further draws for kinds whose bounds hang on their number.

    Parameters
    ----------
    part : Part
    draws : callable
        Returns a block of draws of each run.
    blocks : int
        How many blocks there are.
    """
    of_kinds, fits = curves_of(part, draws(0))
    for block in range(1, min(blocks, MOST_BLOCKS)):
        unsteady = [kind for kind, fit in fits.items() if _may_be_placed(of_kinds[kind], fit)]
        if not unsteady:
            break
        block_rates = rates(part, draws(block))
        further = {kind: block_rates[kind] for kind in unsteady}
        for kind, fit in _fits(part, further).items():
            of_kinds[kind] = of_kinds[kind].and_more(further[kind])
            fits[kind] = fits[kind].and_more(fit[1:])
    return of_kinds, fits


def claimed(kind_rates: Rates, fit: curve.Fit, proportion: float) -> tuple[float, float]:
    """Return the bounds of a threshold, infinite also where they would hang on the seed.

    That is, where the Monte-Carlo standard error of `ENOUGH` replicates is above `UNCLAIMED`.
    """
    ends = bounds(kind_rates, fit, proportion)
    low, high = _with_enough(kind_rates, _errors(kind_rates, fit, proportion, ends)) > UNCLAIMED
    return -np.inf if low else ends[0], np.inf if high else ends[1]


def bounds(kind_rates: Rates, fit: curve.Fit, proportion: float) -> tuple[float, float]:
    """Return the bounds of a threshold, infinite where they lie outside the tested range.

    Smoothed quantiles, of replicates that are at the edge of the range if they are beyond it. A
    bound is beyond it if so many are that it comes as near to the edge as `AT_EDGE`.
    """
    anywhere = fit.extended_threshold(proportion)
    exact = bootstrap.interval(anywhere[0], anywhere[1:], kind_rates.groups)
    reached = within(fit, anywhere)
    low, high = bootstrap.interval(reached[0], reached[1:], kind_rates.groups)
    # With so few groups bounds are no quantiles, and one replicate beyond the range opens them.
    few = min(kind_rates.groups) < bootstrap.FEWEST
    near = np.inf if few else AT_EDGE * (high - low) / 2

    def bound(smooth: float, exact: float) -> float:
        lowest, highest = fit.levels[0], fit.levels[-1]
        inside = lowest <= exact <= highest or lowest + near < smooth < highest - near
        if inside or np.isnan(exact):
            # Corrected for few groups or smoothed, a bound may come to lie past the edge.
            return float(np.clip(smooth, lowest, highest))
        return float(np.copysign(np.inf, exact - lowest))

    return bound(float(low), float(exact[0])), bound(float(high), float(exact[1]))


def within(fit: curve.Fit, reached: Floats) -> Floats:
    """Return thresholds, those beyond the tested range at its edge."""
    return np.clip(reached, fit.levels[0], fit.levels[-1])


def _may_be_placed(kind_rates: Rates, fit: curve.Fit) -> bool:
    """Say whether more replicates would move a bound, and then place it."""
    for proportion in PROPORTIONS.values():
        if censored(kind_rates, fit, proportion) == UNDEFINED:
            continue
        error = _errors(kind_rates, fit, proportion, bounds(kind_rates, fit, proportion))
        if ((error > STEADY) & (_with_enough(kind_rates, error) <= HOPELESS)).any():
            return True
    return False


def _with_enough(kind_rates: Rates, error: Floats) -> Floats:
    """Return the error that `ENOUGH` replicates would leave."""
    return np.asarray(error * np.sqrt((len(kind_rates.successes) - 1) / ENOUGH))


def _errors(
    kind_rates: Rates, fit: curve.Fit, proportion: float, ends: tuple[float, float]
) -> Floats:
    """Return the Monte-Carlo standard error of both bounds, in halves of their interval."""
    reached = within(fit, fit.extended_threshold(proportion))
    # How far an open interval reaches is unknown: half the range is taken for half of it.
    width = np.ptp(ends) if np.isfinite(ends).all() else np.ptp(fit.levels)
    error = bootstrap.monte_carlo_error(reached[1:], kind_rates.groups)
    return np.divide(error, width / 2, out=np.zeros(2), where=error > 0)


def _fits(part: Part, of_kinds: dict[str, Rates]) -> dict[str, curve.Fit]:
    """Fit the curves of several kinds along the same levels, at once since that is faster."""
    fits: dict[str, curve.Fit] = {}
    for by_level in (False, True):
        kinds = [k for k in KINDS if k in of_kinds and (of_kinds[k].guess.ndim > 1) == by_level]
        if kinds:
            fit = curve.fit(
                part.scale,
                np.stack([of_kinds[kind].successes for kind in kinds]),
                np.stack([of_kinds[kind].trials for kind in kinds]),
                guess=np.stack([of_kinds[kind].guess for kind in kinds]),
                narrowest=part.narrowest,
            )
            fits |= {kind: fit[place] for place, kind in enumerate(kinds)}
    return {kind: fits[kind] for kind in KINDS if kind in fits}
