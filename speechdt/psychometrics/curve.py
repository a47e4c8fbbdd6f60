"""Psychometric curve: the rate of an answer as a function of level, and its thresholds.

The curve is psi(x) = guess + (1 - guess - lapse) * F(x; location, width), where F is the cumulative
Gaussian, the location is where F = 0.5 and the width is the distance between F = 0.05 and F = 0.95
(Wichmann & Hill 2001, doi:10.3758/BF03194544). It is fitted by maximum a posteriori to binomial
counts, under the default priors of psignifit 4 (Schütt, Harmeling, Macke & Wichmann 2016,
doi:10.1016/j.visres.2016.02.002):

- location: flat over the tested range, raised-cosine fall to zero half a range outside it;
- width: flat from twice the smallest step between levels up to the range, raised-cosine falls to
  zero at one step and at three ranges;
- guess and lapse, where they are not fixed: Beta(1, 10).

psignifit also fits an overdispersion. It is left out here, because trials are clustered in a known
way and intervals come from resampling whole groups (`speechdt.statistics.bootstrap`). That needs
thousands of fits, so `fit` takes whole batches of curves that share their levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, xlogy

from speechdt.arrays import Floats
from speechdt.psychometrics.maximise import maximum
from speechdt.psychometrics.posterior import (
    GUESS,
    LOCATION,
    SPREAD,
    WIDTH,
    Data,
    lapse_rate,
    normal_density,
)

__all__ = ["Fit", "fit"]

CROSSING_POINTS = 401
"""At which a curve whose guess rate differs by level is searched for a proportion."""


@dataclass(frozen=True)
class Fit:
    """One psychometric curve, or an array of them.

    Attributes
    ----------
    guess, lapse : (...) array of float
        Lower asymptote, and distance of the upper asymptote from 1. Scalars for a single curve.
    location, width : (...) array of float
        Where F = 0.5, and the distance from F = 0.05 to F = 0.95, in the unit of the levels.
    levels : (L,) array of float
        Tested levels; they bound the thresholds that are reported.
    guesses : (..., L) array of float, optional
        Lower asymptote at each level where it is fixed and differs, straight between levels;
        `guess` is then the highest of a curve, which the lapse rate leaves room for.
    """

    guess: Floats
    lapse: Floats
    location: Floats
    width: Floats
    levels: Floats
    guesses: Floats | None = None

    def __getitem__(self, index: Any) -> Fit:
        """Return some of the curves, as by indexing each of their parameters."""
        parameters = (self.guess, self.lapse, self.location, self.width)
        guess, lapse, location, width = (np.asarray(values)[index] for values in parameters)
        guesses = None if self.guesses is None else self.guesses[index]
        return Fit(guess, lapse, location, width, self.levels, guesses)

    def and_more(self, other: Fit) -> Fit:
        """Return these curves and others along the same levels, one after the other."""
        guesses = None
        if self.guesses is not None and other.guesses is not None:
            guesses = np.concatenate([self.guesses, other.guesses])
        return Fit(
            np.append(self.guess, other.guess),
            np.append(self.lapse, other.lapse),
            np.append(self.location, other.location),
            np.append(self.width, other.width),
            self.levels,
            guesses,
        )

    def predict(self, x: ArrayLike) -> Floats:
        """Return psi at the levels `x`, shape ``(...,) + x.shape``."""
        x = np.asarray(x, float)
        guess, lapse, location, width = self._against(x)
        if self.guesses is not None:
            guess = self._guess_at(x)
        psi: Floats = guess + (1 - guess - lapse) * ndtr(SPREAD * (x - location) / width)
        return psi

    def slope(self, x: ArrayLike) -> Floats:
        """Return the derivative of psi at the levels `x`, shape ``(...,) + x.shape``.

        That of the cumulative Gaussian's part alone where guess rates differ by level.
        """
        x = np.asarray(x, float)
        guess, lapse, location, width = self._against(x)
        density = normal_density(SPREAD * (x - location) / width)
        slope: Floats = (1 - guess - lapse) * density * SPREAD / width
        return slope

    def threshold(self, proportion: ArrayLike) -> Floats:
        """Return the level at which psi itself reaches `proportion`.

        It is NaN wherever `censored` is not empty: a threshold is never extrapolated.

        Parameters
        ----------
        proportion : float or array
            Strictly between 0 and 1.

        Returns
        -------
        (...,) + proportion.shape array of float
            In the unit of the levels.
        """
        proportion = _proportion(proportion)
        guess, lapse, location, width = self._against(proportion)
        exists = self.censored(proportion) == ""
        if self.guesses is not None:
            return np.where(exists, self._crossing(proportion), np.nan)[()]
        reached = (proportion - guess) / np.where(exists, 1 - guess - lapse, 1.0)
        level = location + width / SPREAD * ndtri(np.where(exists, np.clip(reached, 0, 1), 0.5))
        level = np.clip(level, self.levels[0], self.levels[-1])  # undoes rounding at the two ends
        return np.where(exists, level, np.nan)[()]

    def censored(self, proportion: ArrayLike) -> NDArray[np.str_]:
        """Say why there is no threshold at `proportion` within the tested levels.

        Returns
        -------
        (...,) + proportion.shape array of str
            ``'undefined'`` where guessing alone gives the proportion, ``'>'`` where psi is below it
            even at the highest level, ``'<'`` where psi is above it already at the lowest level,
            and ``''`` where the threshold exists. An earlier reason wins over a later one.
        """
        proportion = _proportion(proportion)
        guess = self._against(proportion)[0]
        ends = self.predict(self.levels[[0, -1]])
        lowest, highest = (np.reshape(end, guess.shape) for end in (ends[..., 0], ends[..., 1]))
        reasons = [guess >= proportion, highest < proportion, lowest > proportion]
        return np.select(reasons, ["undefined", ">", "<"], default="")[()]

    def extended_threshold(self, proportion: ArrayLike) -> Floats:
        """Return `threshold`, with -inf for ``'<'`` and ``'undefined'``, and +inf for ``'>'``.

        These can be ordered, so quantiles of bootstrap replicates can be taken of them. A detector
        that says yes to background alone is taken to be at the always-yes end, hence -inf.
        """
        censored = self.censored(proportion)
        below = (censored == "<") | (censored == "undefined")
        level = np.where(below, -np.inf, self.threshold(proportion))
        return np.where(censored == ">", np.inf, level)[()]

    def deviance(self, successes: ArrayLike, trials: ArrayLike) -> Floats:
        """Return twice the log-likelihood ratio of the saturated model to this curve.

        Parameters
        ----------
        successes, trials : (..., L) array
            Counts at `levels`.

        Returns
        -------
        (...) array of float
            Infinite if the curve gives probability 0 to something that happened.

        Raises
        ------
        ValueError
            If the counts are not valid, or do not fit the levels or each other.
        """
        k, n = _counts(successes, trials, self.levels.size)
        psi = self.predict(self.levels)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(n > 0, k / n, 0.5)
            terms = xlogy(k, rate) - xlogy(k, psi)  # apart, since 0 log(0 / 0) is not a number
            terms = terms + xlogy(n - k, 1 - rate) - xlogy(n - k, 1 - psi)
        deviance: Floats = 2 * np.maximum(terms.sum(-1), 0.0)
        return deviance

    def _guess_at(self, x: Floats) -> Floats:
        """Return the guess rate at levels, straight between the tested ones."""
        assert self.guesses is not None
        right = np.clip(np.searchsorted(self.levels, x), 1, len(self.levels) - 1)
        left = right - 1
        share = (x - self.levels[left]) / (self.levels[right] - self.levels[left])
        share = np.clip(share, 0, 1)
        guess: Floats = self.guesses[..., left] * (1 - share) + self.guesses[..., right] * share
        return guess

    def _crossing(self, proportion: Floats) -> Floats:
        """Return the highest level at which psi rises through a proportion, if there is one."""
        x = np.linspace(self.levels[0], self.levels[-1], CROSSING_POINTS)
        psi = self.predict(x)
        levels = np.empty((*psi.shape[:-1], proportion.size))
        for place, wanted in enumerate(proportion.ravel()):
            below = psi < wanted
            left = np.minimum(len(x) - 2, len(x) - 1 - below[..., ::-1].argmax(-1))
            ends = (
                np.take_along_axis(psi, (left + step)[..., None], -1)[..., 0] for step in (0, 1)
            )
            low, high = ends
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.nan_to_num((wanted - low) / (high - low))
            levels[..., place] = x[left] + np.clip(share, 0, 1) * (x[1] - x[0])
        return levels.reshape(psi.shape[:-1] + proportion.shape)

    def _against(self, x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return guess, lapse, location and width with one more axis for each axis of `x`."""
        extra = (..., *(None,) * x.ndim)
        guess, lapse = np.asarray(self.guess)[extra], np.asarray(self.lapse)[extra]
        return guess, lapse, np.asarray(self.location)[extra], np.asarray(self.width)[extra]


def fit(
    levels: ArrayLike,
    successes: ArrayLike,
    trials: ArrayLike,
    *,
    guess: ArrayLike | None = None,
    lapse: ArrayLike | None = None,
    narrowest: float | None = None,
) -> Fit:
    """Fit psychometric curves by maximum a posteriori, under the priors that the module names.

    A grid over all parameters gives each curve its starts, damped Newton steps their ends, and the
    best end is the fit. It is deterministic, and curves of a batch do not influence each other.

    Parameters
    ----------
    levels : (L,) array
        Tested levels in any unit (dB; log10 of ms), increasing, at least two. Priors follow them.
    successes, trials : (..., L) array
        Counts at each level. They may be weighted sums; a level may have no trials.
    guess, lapse : None, or array that broadcasts to the leading shape (...)
        None: fitted. Numbers: known; each between 0 and 1, and their sum at most 1. A guess rate of
        the shape of the counts, (..., L), is known level by level.
    narrowest : float, optional
        Width that no curve is below; by default the smallest step between levels, which says
        nothing where levels come close together by chance.

    Returns
    -------
    Fit
        With parameters of the leading shape; scalars if `successes` is one-dimensional.

    Raises
    ------
    ValueError
        If levels do not increase; if a count is negative, not finite, or above its trials; if a
        curve has no trials; if a fixed rate is not a probability; if shapes do not fit.
    """
    x = _levels(levels)
    k, n = _counts(successes, trials, x.size)
    if not n.any(-1).all():
        raise ValueError("a psychometric curve needs trials at one level at least")
    shape, span = k.shape[:-1], x[-1] - x[0]
    by_level, guess = _by_level(guess, k.shape)
    gamma, lam = _rate("guess", guess, shape), _rate("lapse", lapse, shape)
    if gamma is not None and lam is not None and (gamma + lam > 1).any():
        raise ValueError("guess and lapse must not sum to more than 1")
    k, n = (np.ascontiguousarray(of.reshape(-1, x.size).T) for of in (k, n))
    scaled = None if by_level is None else np.ascontiguousarray(by_level.reshape(-1, x.size).T)
    least = None if narrowest is None else narrowest / span
    data = Data((x - x[0]) / span, k, n, gamma, lam, scaled, least)
    theta = maximum(data)
    return Fit(
        guess=theta[GUESS].reshape(shape)[()],
        lapse=lapse_rate(data, theta).reshape(shape)[()],
        location=(x[0] + span * theta[LOCATION]).reshape(shape)[()],
        width=(span * theta[WIDTH]).reshape(shape)[()],
        levels=x,
        guesses=by_level,
    )


def _levels(levels: ArrayLike) -> Floats:
    x = np.array(levels, float)
    if x.ndim != 1 or x.size < 2:
        raise ValueError(f"levels must be a row of at least two numbers, not of shape {x.shape}")
    if not np.isfinite(x).all() or (np.diff(x) <= 0).any():
        raise ValueError("levels must be finite and increasing")
    return x


def _counts(successes: ArrayLike, trials: ArrayLike, levels: int) -> tuple[Floats, Floats]:
    k, n = np.asarray(successes, float), np.asarray(trials, float)
    try:
        k, n = np.broadcast_arrays(k, n)
    except ValueError:
        message = f"successes {k.shape} and trials {n.shape} do not fit together"
        raise ValueError(message) from None
    if k.ndim == 0 or k.shape[-1] != levels:
        raise ValueError(f"counts of shape {k.shape} do not end in the number of levels, {levels}")
    if not (np.isfinite(k).all() and np.isfinite(n).all()):
        raise ValueError("counts must be finite")
    if (k < 0).any() or (n < 0).any():
        raise ValueError("counts must not be negative")
    # weighted sums of successes and of trials may differ by rounding alone
    if (k > n * (1 + 1e-9)).any():
        raise ValueError("there are more successes than trials")
    return np.minimum(k, n), n


def _rate(name: str, value: ArrayLike | None, shape: tuple[int, ...]) -> Floats | None:
    if value is None:
        return None
    rate = np.asarray(value, float)
    if not ((rate >= 0) & (rate <= 1)).all():
        raise ValueError(f"{name} must be between 0 and 1")
    try:
        return np.broadcast_to(rate, shape).reshape(-1)
    except ValueError:
        message = f"{name} of shape {rate.shape} does not fit curves of shape {shape}"
        raise ValueError(message) from None


def _by_level(
    guess: ArrayLike | None, shape: tuple[int, ...]
) -> tuple[Floats | None, ArrayLike | None]:
    """Return guess rates by level, if they are, and the highest of each curve."""
    if guess is None or np.ndim(guess) != len(shape) or np.shape(guess)[-1] != shape[-1]:
        return None, guess
    rates = np.broadcast_to(np.asarray(guess, float), shape)
    if not ((rates >= 0) & (rates <= 1)).all():
        raise ValueError("guess must be between 0 and 1")
    return rates, rates.max(-1)


def _proportion(proportion: ArrayLike) -> Floats:
    p = np.asarray(proportion, float)
    if not ((p > 0) & (p < 1)).all():
        raise ValueError("a proportion must be strictly between 0 and 1")
    return p
