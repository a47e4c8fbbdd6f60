"""Psychometric curves: how an answer's rate grows with a level, and where it reaches a proportion.

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
way and intervals come from resampling whole groups (`speechdt.bootstrap`). That needs thousands of
fits, so `fit` takes whole batches of curves that share their levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, xlogy

__all__ = ["Fit", "fit"]

Floats: TypeAlias = NDArray[np.float64]

SPREAD = float(ndtri(0.95) - ndtri(0.05))  # width of a Gaussian with unit standard deviation
RATE_PRIOR = 9.0  # Beta(1, 10) has log density 9 log(1 - x) + constant
TINY = 1e-100  # log(0) would make curves that contradict one trial impossible to rank
EDGE = 1e-9  # how near a parameter may come to a bound where its prior is zero
TOLERANCE = 1e-8  # expected gain in log posterior below which a fit ends
MAX_STEPS = 200
FREE_NODES = np.array([0.0, 0.02, 0.06, 0.15, 0.3, 0.5, 0.75])  # starts of a rate that is fitted
FIXED_NODES = np.array([0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 0.95, 1.0])
LOCATION, WIDTH, SHARE, GUESS = range(4)  # columns of a parameter array; for SHARE see `_lapse`


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
    """

    guess: Floats
    lapse: Floats
    location: Floats
    width: Floats
    levels: Floats

    def predict(self, x: ArrayLike) -> Floats:
        """Return psi at the levels `x`, shape ``(...,) + x.shape``."""
        x = np.asarray(x, float)
        guess, lapse, location, width = self._against(x)
        psi: Floats = guess + (1 - guess - lapse) * ndtr(SPREAD * (x - location) / width)
        return psi

    def slope(self, x: ArrayLike) -> Floats:
        """Return the derivative of psi at the levels `x`, shape ``(...,) + x.shape``."""
        x = np.asarray(x, float)
        guess, lapse, location, width = self._against(x)
        density = _normal_density(SPREAD * (x - location) / width)
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
) -> Fit:
    """Fit psychometric curves by maximum a posteriori, under the priors that the module names.

    A grid over all parameters gives each curve its starts, damped scoring their ends, and the best
    end is the fit. It is deterministic, and the curves of a batch do not influence each other.

    Parameters
    ----------
    levels : (L,) array
        Tested levels in any unit (dB; log10 of ms), increasing, at least two. Priors follow them.
    successes, trials : (..., L) array
        Counts at each level. They may be weighted sums; a level may have no trials.
    guess, lapse : None, or array that broadcasts to the leading shape (...)
        None: fitted. Numbers: known; each between 0 and 1, and their sum at most 1.

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
    gamma, lam = _rate("guess", guess, shape), _rate("lapse", lapse, shape)
    if gamma is not None and lam is not None and (gamma + lam > 1).any():
        raise ValueError("guess and lapse must not sum to more than 1")
    data = _Data((x - x[0]) / span, k.reshape(-1, x.size), n.reshape(-1, x.size), gamma, lam)
    theta = _maximum(data)
    return Fit(
        guess=theta[:, GUESS].reshape(shape)[()],
        lapse=_lapse(data, theta).reshape(shape)[()],
        location=(x[0] + span * theta[:, LOCATION]).reshape(shape)[()],
        width=(span * theta[:, WIDTH]).reshape(shape)[()],
        levels=x,
    )


class _Data(NamedTuple):
    """R curves with levels scaled to [0, 1], so that every parameter is of order one."""

    x: Floats  # (L,)
    k: Floats  # (R, L) successes
    n: Floats  # (R, L) trials
    guess: Floats | None  # (R,) if fixed
    lapse: Floats | None  # (R,) if fixed

    @property
    def step(self) -> float:
        """Smallest distance between two levels; no curve is narrower."""
        return float(np.diff(self.x).min())

    def take(self, rows: NDArray[np.intp]) -> _Data:
        """Return some of the curves."""
        guess = None if self.guess is None else self.guess[rows]
        lapse = None if self.lapse is None else self.lapse[rows]
        return _Data(self.x, self.k[rows], self.n[rows], guess, lapse)


# ------------------------------------------------------------------------------------------ checks


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


def _proportion(proportion: ArrayLike) -> Floats:
    p = np.asarray(proportion, float)
    if not ((p > 0) & (p < 1)).all():
        raise ValueError("a proportion must be strictly between 0 and 1")
    return p


# --------------------------------------------------------------------------------------- posterior


def _normal_density(z: Floats) -> Floats:
    density: Floats = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return density


def _lapse(data: _Data, theta: Floats) -> Floats:
    """Lapse rate of each row.

    It is fitted as a share of 1 - guess, which turns the constraint guess + lapse <= 1 into a box.
    """
    return theta[:, SHARE] * (1 - theta[:, GUESS]) if data.lapse is None else data.lapse


def _raised_cosine(t: Floats) -> tuple[Floats, Floats, Floats]:
    """Log of (1 + cos(pi t)) / 2 where 0 <= t < 1 (0 below), its slope, and minus its curvature."""
    half = 0.5 * np.pi * np.clip(t, 0, 1 - EDGE)
    tangent = np.tan(half)
    curvature = 0.5 * np.pi**2 * (1 + tangent**2) * (t > 0)
    return 2 * np.log(np.cos(half)), -np.pi * tangent, curvature


def _location_prior(m: Floats) -> tuple[Floats, Floats, Floats]:
    """Log prior of the location over the range [0, 1], its slope, and minus its curvature."""
    value, slope, curvature = _raised_cosine(np.maximum(-m, m - 1) * 2)
    return value, slope * np.where(m < 0, -2.0, 2.0), curvature * 4


def _width_prior(w: Floats, step: float) -> tuple[Floats, Floats, Floats]:
    """Log prior of the width for a range of 1, its slope, and minus its curvature."""
    wide = max(1.0, 2 * step)  # two levels: the step is the range, so two steps are beyond it
    low, high = (2 * step - w) / step, (w - wide) / (3 - wide)
    value, slope, curvature = _raised_cosine(np.where(low > 0, low, high))
    scale = np.where(low > 0, -1 / step, 1 / (3 - wide))
    return value, slope * scale, curvature * scale**2


def _rate_prior(rate: Floats | float) -> Floats:
    prior: Floats = RATE_PRIOR * np.log(np.maximum(1 - np.asarray(rate), TINY))
    return prior


def _log_posterior(data: _Data, theta: Floats) -> Floats:
    """Log posterior of each row up to a constant, (R,)."""
    m, w, gamma, lam = theta[:, LOCATION], theta[:, WIDTH], theta[:, GUESS], _lapse(data, theta)
    z = SPREAD * (data.x - m[:, None]) / w[:, None]
    rise = (1 - gamma - lam)[:, None]
    yes = np.maximum(gamma[:, None] + rise * ndtr(z), TINY)
    no = np.maximum(lam[:, None] + rise * ndtr(-z), TINY)
    total = (data.k * np.log(yes) + (data.n - data.k) * np.log(no)).sum(-1)
    total += _location_prior(m)[0] + _width_prior(w, data.step)[0]
    total += _rate_prior(gamma) if data.guess is None else 0
    total += _rate_prior(lam) if data.lapse is None else 0
    return np.asarray(total)


def _scores(data: _Data, theta: Floats) -> tuple[Floats, Floats]:
    """Gradient (R, 4) of the log posterior and its expected information (R, 4, 4).

    What is fixed has zeros.
    """
    m, w, gamma, lam = theta[:, LOCATION], theta[:, WIDTH], theta[:, GUESS], _lapse(data, theta)
    z = SPREAD * (data.x - m[:, None]) / w[:, None]
    rise, upper, lower = (1 - gamma - lam)[:, None], ndtr(z), ndtr(-z)
    yes = np.maximum(gamma[:, None] + rise * upper, TINY)
    no = np.maximum(lam[:, None] + rise * lower, TINY)

    jacobian = np.zeros((*data.k.shape, 4))
    steepness = -rise * _normal_density(z) / w[:, None]
    jacobian[..., LOCATION] = SPREAD * steepness
    jacobian[..., WIDTH] = z * steepness
    if data.lapse is None:
        jacobian[..., SHARE] = -(1 - gamma)[:, None] * upper
    if data.guess is None:
        share = theta[:, SHARE, None] if data.lapse is None else 0.0
        jacobian[..., GUESS] = lower + share * upper

    gradient = ((data.k / yes - (data.n - data.k) / no)[..., None] * jacobian).sum(1)
    weighted = (data.n / np.maximum(yes * no, TINY))[..., None] * jacobian
    information = np.swapaxes(weighted, 1, 2) @ jacobian
    _add_shape_priors(data, theta, gradient, information)
    _add_rate_priors(data, theta, gradient, information)
    return gradient, information


def _add_shape_priors(data: _Data, theta: Floats, gradient: Floats, information: Floats) -> None:
    """Add the priors of location and width to a gradient and an information matrix, in place."""
    priors = _location_prior(theta[:, LOCATION]), _width_prior(theta[:, WIDTH], data.step)
    for column, (_, slope, curvature) in zip((LOCATION, WIDTH), priors, strict=True):
        gradient[:, column] += slope
        information[:, column, column] += curvature


def _add_rate_priors(data: _Data, theta: Floats, gradient: Floats, information: Floats) -> None:
    """Add the priors of guess and lapse to a gradient and an information matrix, in place."""
    if data.guess is None:
        left = np.maximum(1 - theta[:, GUESS], EDGE)
        gradient[:, GUESS] -= RATE_PRIOR / left
        information[:, GUESS, GUESS] += RATE_PRIOR / left**2
    if data.lapse is None:
        # the prior is on the lapse rate, with derivatives 1 - guess (by share), -share (by guess)
        chain = np.zeros_like(gradient)
        chain[:, SHARE] = 1 - theta[:, GUESS]
        chain[:, GUESS] = -theta[:, SHARE] * (data.guess is None)
        left = np.maximum(1 - _lapse(data, theta), EDGE)[:, None]
        gradient -= RATE_PRIOR / left * chain
        information += RATE_PRIOR / left[..., None] ** 2 * chain[:, :, None] * chain[:, None, :]


# ----------------------------------------------------------------------------------------- fitting


def _maximum(data: _Data) -> Floats:
    """Parameters (R, 4) of the best maximum that is reached from the regions of the grid."""
    theta = np.stack([_best_node(data, m, w) for m, w in _regions(data)])
    low, high = _bounds(data)
    theta = np.clip(theta, low, high)
    value = np.stack([_log_posterior(data, region) for region in theta])
    _polish(data, theta, value, low, high)
    best: Floats = np.take_along_axis(theta, value.argmax(0)[None, :, None], 0)[0]
    return best


def _regions(data: _Data) -> list[tuple[Floats, Floats]]:
    """Grid of locations and widths, cut where the posterior may have modes of their own.

    Every gap between levels has locations in it, in case a steep curve rises there; locations
    outside the range belong to curves that are flat within it. A region is two arrays of one shape.
    """
    x, each = data.x, max(2, -(-24 // (data.x.size - 1)))
    inside = (x[:-1, None] + np.diff(x)[:, None] * (np.arange(each) + 0.5) / each).ravel()
    outside = np.array([0.05, 0.15, 0.3, 0.45])
    widths = np.geomspace(1.1 * data.step, 2.8, 12)
    bands = [(inside, band) for band in np.split(widths, 3)]
    sets = [(-outside, widths), (1 + outside, widths), *bands]
    return [(np.repeat(m, w.size), np.tile(w, m.size)) for m, w in sets]


def _best_node(data: _Data, m: Floats, w: Floats) -> Floats:
    """Best point (R, 4) for each row among some locations and widths with the grid's rates."""
    z = SPREAD * (data.x - m[:, None]) / w[:, None]
    upper, lower = ndtr(z), ndtr(-z)
    shape_prior = _location_prior(m)[0] + _width_prior(w, data.step)[0]
    counts = np.concatenate([data.k, data.n - data.k], axis=1)
    best, theta = np.full(len(counts), -np.inf), np.zeros((len(counts), 4))
    for gamma, lam, share, rows in _rate_nodes(data):
        rise = 1 - gamma - lam
        rates = np.concatenate([gamma + rise * upper, lam + rise * lower], axis=1)
        total = counts[rows] @ np.log(np.maximum(rates, TINY)).T + shape_prior
        top = total.argmax(1)
        value = total[np.arange(rows.size), top]
        value += _rate_prior(gamma) if data.guess is None else 0
        value += _rate_prior(lam) if data.lapse is None else 0
        better = value > best[rows]
        rows, top = rows[better], top[better]
        best[rows] = value[better]
        theta[rows, LOCATION], theta[rows, WIDTH] = m[top], w[top]
        theta[rows, SHARE], theta[rows, GUESS] = share, gamma
    return theta


def _rate_nodes(data: _Data) -> list[tuple[float, float, float, NDArray[np.intp]]]:
    """Guess, lapse and share of each node of the rates' grid, and the rows that it is for."""
    nodes = []
    for gamma, guess_rows in _nodes(data.guess, len(data.k)):
        for lam, lapse_rows in _nodes(data.lapse, len(data.k)):
            rows = np.flatnonzero(guess_rows & lapse_rows)
            if data.lapse is None:  # the node is a share
                nodes.append((gamma, lam * (1 - gamma), lam, rows))
            else:
                nodes.append((min(gamma, 1 - lam), lam, 0.0, rows))
    return nodes


def _nodes(fixed: Floats | None, rows: int) -> list[tuple[float, NDArray[np.bool_]]]:
    """Grid values of one rate, each with the rows (R,) that it is for: all, if it is fitted."""
    if fixed is None:
        return [(float(value), np.ones(rows, bool)) for value in FREE_NODES]
    nearest = np.abs(fixed[:, None] - FIXED_NODES).argmin(1)
    return [(float(FIXED_NODES[i]), nearest == i) for i in np.unique(nearest)]


def _bounds(data: _Data) -> tuple[Floats, Floats]:
    """Lowest and highest value of each parameter, each (R, 4)."""
    low, high = np.zeros((len(data.k), 4)), np.ones((len(data.k), 4))
    low[:, LOCATION], high[:, LOCATION] = -0.5 + EDGE, 1.5 - EDGE
    low[:, WIDTH], high[:, WIDTH] = data.step * (1 + EDGE), 3 - EDGE
    if data.guess is not None:
        low[:, GUESS] = high[:, GUESS] = data.guess
    elif data.lapse is not None:
        high[:, GUESS] = 1 - data.lapse
    return low, high


def _polish(data: _Data, theta: Floats, value: Floats, low: Floats, high: Floats) -> None:
    """Climb from starts to maxima of the posterior by damped scoring (Levenberg-Marquardt).

    Parameters
    ----------
    theta : (S, R, 4) array
        S starts for each of R curves; ends in place.
    value : (S, R) array
        Their log posterior; changes with them.
    low, high : (R, 4) array
        Bounds.
    """
    damping = np.full(value.shape, 1e-3)
    start, curve = (index.ravel() for index in np.indices(value.shape))
    for _ in range(MAX_STEPS):
        if not curve.size:
            break
        at = start, curve
        here, part = theta[at], data.take(curve)
        step, gain = _step(part, here, low[curve], high[curve], damping[at])
        reached = _log_posterior(part, here + step)
        better = reached > value[at]
        theta[at] = np.where(better[:, None], here + step, here)
        value[at] = np.where(better, reached, value[at])
        damping[at] = np.maximum(damping[at] * np.where(better, 0.1, 10.0), 1e-9)
        # a start that many times its expected gain would leave far behind another is given up
        hopeful = value[at] + 10 * (gain + 1) > value.max(0)[curve]
        # a step that keeps being rejected is damped until it expects no gain, so that ends too
        going = hopeful & (gain > TOLERANCE)
        start, curve = start[going], curve[going]


def _step(
    data: _Data, theta: Floats, low: Floats, high: Floats, damping: Floats
) -> tuple[Floats, Floats]:
    """Damped step (R, 4) within the bounds, and the gain (R,) that a quadratic expects of it."""
    gradient, information = _scores(data, theta)
    held = ((theta <= low) & (gradient <= 0)) | ((theta >= high) & (gradient >= 0))
    held[:, SHARE] |= data.lapse is not None
    held[:, GUESS] |= data.guess is not None
    gradient = np.where(held, 0.0, gradient)
    information = np.where(held[:, :, None] | held[:, None, :], 0.0, information)
    diagonal = np.arange(4)
    ridge = damping[:, None] * (information[:, diagonal, diagonal] + 1e-3)
    information[:, diagonal, diagonal] += ridge + held
    step = np.linalg.solve(information, gradient[..., None])[..., 0]
    return np.clip(theta + step, low, high) - theta, 0.5 * (gradient * step).sum(-1)
