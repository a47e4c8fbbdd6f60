"""Log posterior of psychometric curves, its gradient and its information.

For whole batches of curves that share their levels; curves are the last axis everywhere, so that
sums over levels and parameters run along contiguous rows. `speechdt.psychometrics.curve` has the
model and its priors, and climbs to the maximum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from speechdt.arrays import Floats

SPREAD = float(ndtri(0.95) - ndtri(0.05))  # width of a Gaussian with unit standard deviation
RATE_PRIOR = 9.0  # Beta(1, 10) has log density 9 log(1 - x) + constant
TINY = 1e-100  # log(0) would make curves that contradict one trial impossible to rank
EDGE = 1e-9  # how near a parameter may come to a bound where its prior is zero
LOCATION, WIDTH, SHARE, GUESS = range(4)  # rows of a parameter array; for SHARE see `lapse_rate`


class Data(NamedTuple):
    """R curves with levels scaled to [0, 1], so that every parameter is of order one."""

    x: Floats  # (L,)
    k: Floats  # (L, R) successes
    n: Floats  # (L, R) trials
    guess: Floats | None  # (R,) if fixed; where it differs by level, its maximum
    lapse: Floats | None  # (R,) if fixed
    guesses: Floats | None = None  # (L, R) if fixed and different by level
    narrowest: float | None = None  # width of no curve is below it; None: the smallest step

    @property
    def step(self) -> float:
        """Smallest distance between two levels; no curve is narrower."""
        return float(np.diff(self.x).min()) if self.narrowest is None else self.narrowest

    @property
    def free(self) -> list[int]:
        """Parameters that are fitted: rows of a parameter array."""
        rates = ((SHARE, self.lapse), (GUESS, self.guess))
        return [LOCATION, WIDTH, *(row for row, fixed in rates if fixed is None)]

    def take(self, curves: NDArray[np.intp]) -> Data:
        """Return some of the curves."""
        guess = None if self.guess is None else self.guess[curves]
        lapse = None if self.lapse is None else self.lapse[curves]
        by_level = None if self.guesses is None else self.guesses[:, curves]
        counts = self.k[:, curves], self.n[:, curves]
        return Data(self.x, *counts, guess, lapse, by_level, self.narrowest)


class _Curves(NamedTuple):
    """Terms of value, slope and curvature, of each curve at each level, (L, R)."""

    z: Floats
    upper: Floats  # F
    lower: Floats  # 1 - F, exact where it is tiny
    yes: Floats  # psi
    no: Floats  # 1 - psi
    rise: Floats  # (R,), or (L, R) where guess rates differ by level

    @classmethod
    def of(cls, data: Data, theta: Floats) -> _Curves:
        lam = lapse_rate(data, theta)
        z = SPREAD * (data.x[:, None] - theta[LOCATION]) / theta[WIDTH]
        tail = ndtr(-np.abs(z))
        above = z > 0
        upper, lower = np.where(above, 1 - tail, tail), np.where(above, tail, 1 - tail)
        guess = theta[GUESS] if data.guesses is None else data.guesses
        rise = 1 - guess - lam
        yes = np.maximum(guess + rise * upper, TINY)
        return cls(z, upper, lower, yes, np.maximum(lam + rise * lower, TINY), rise)


def lapse_rate(data: Data, theta: Floats) -> Floats:
    """Lapse rate of each curve.

    It is fitted as a share of 1 - guess, which turns the constraint guess + lapse <= 1 into a box.
    """
    return theta[SHARE] * (1 - theta[GUESS]) if data.lapse is None else data.lapse


def normal_density(z: Floats) -> Floats:
    """Density of the standard normal distribution."""
    density: Floats = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return density


def _raised_cosine(t: Floats) -> tuple[Floats, Floats, Floats]:
    """Log of (1 + cos(pi t)) / 2 where 0 <= t < 1 (0 below), its slope, and minus its curvature."""
    half = 0.5 * np.pi * np.clip(t, 0, 1 - EDGE)
    tangent = np.tan(half)
    curvature = 0.5 * np.pi**2 * (1 + tangent**2) * (t > 0)
    return 2 * np.log(np.cos(half)), -np.pi * tangent, curvature


def location_prior(m: Floats) -> tuple[Floats, Floats, Floats]:
    """Log prior of the location over the range [0, 1], its slope, and minus its curvature."""
    value, slope, curvature = _raised_cosine(np.maximum(-m, m - 1) * 2)
    return value, slope * np.where(m < 0, -2.0, 2.0), curvature * 4


def width_prior(w: Floats, step: float) -> tuple[Floats, Floats, Floats]:
    """Log prior of the width for a range of 1, its slope, and minus its curvature."""
    wide = max(1.0, 2 * step)  # two levels: the step is the range, so two steps are beyond it
    low, high = (2 * step - w) / step, (w - wide) / (3 - wide)
    value, slope, curvature = _raised_cosine(np.where(low > 0, low, high))
    scale = np.where(low > 0, -1 / step, 1 / (3 - wide))
    return value, slope * scale, curvature * scale**2


def rate_prior(rate: Floats | float) -> Floats:
    """Log prior of a guess or lapse rate, up to a constant."""
    prior: Floats = RATE_PRIOR * np.log(np.maximum(1 - np.asarray(rate), TINY))
    return prior


def log_posterior(data: Data, theta: Floats) -> Floats:
    """Log posterior of each curve up to a constant, (R,), at parameters (4, R)."""
    curves = _Curves.of(data, theta)
    total = (data.k * np.log(curves.yes) + (data.n - data.k) * np.log(curves.no)).sum(0)
    total += location_prior(theta[LOCATION])[0] + width_prior(theta[WIDTH], data.step)[0]
    total += rate_prior(theta[GUESS]) if data.guess is None else 0
    total += rate_prior(lapse_rate(data, theta)) if data.lapse is None else 0
    return np.asarray(total)


def scores(data: Data, theta: Floats, *, observed: bool) -> tuple[Floats, Floats]:
    """Gradient (P, R) of the log posterior by what is fitted, and its information (P, P, R).

    The information that is expected is never negative; that observed, minus the curvature, leads to
    a maximum faster where it is positive.
    """
    curves = _Curves.of(data, theta)
    won, lost = data.k / curves.yes, (data.n - data.k) / curves.no
    slopes = _slopes(data, theta, curves)
    gradient = np.stack([((won - lost) * slope).sum(0) for slope in slopes])
    if observed:
        information = _quadratic(won / curves.yes + lost / curves.no, slopes)
        for (one, other), bend in _bends(data, theta, curves, won - lost).items():
            row, column = data.free.index(one), data.free.index(other)
            information[row, column] -= bend
            if row != column:
                information[column, row] -= bend
    else:
        information = _quadratic(data.n / np.maximum(curves.yes * curves.no, TINY), slopes)
    _add_priors(data, theta, gradient, information)
    return gradient, information


def _slopes(data: Data, theta: Floats, curves: _Curves) -> list[Floats]:
    """Derivatives of psi by each parameter that is fitted, (L, R) each."""
    steep = curves.rise * normal_density(curves.z) / theta[WIDTH]
    slopes = [-SPREAD * steep, -curves.z * steep]
    if data.lapse is None:
        slopes.append(-(1 - theta[GUESS]) * curves.upper)
    if data.guess is None:
        share = theta[SHARE] if data.lapse is None else 0.0
        slopes.append(curves.lower + share * curves.upper)
    return slopes


def _quadratic(weight: Floats, slopes: list[Floats]) -> Floats:
    """Sum over levels of a weight times the products of all pairs of slopes, (P, P, R)."""
    total = np.empty((len(slopes), len(slopes), weight.shape[1]))
    for row, slope in enumerate(slopes):
        weighted = weight * slope
        for column in range(row + 1):
            total[row, column] = total[column, row] = (weighted * slopes[column]).sum(0)
    return total


def _bends(
    data: Data, theta: Floats, curves: _Curves, residual: Floats
) -> dict[tuple[int, int], Floats]:
    """Sum over levels of residuals times second derivatives of psi, those that are not zero."""
    w, power = theta[WIDTH], residual * normal_density(curves.z) / theta[WIDTH]
    moments, rising = [], []
    for _ in range(4):
        moments.append(power.sum(0))
        rising.append((curves.rise * power).sum(0))
        power = power * curves.z
    bends = {
        (LOCATION, LOCATION): -(SPREAD**2) * rising[1] / w,
        (LOCATION, WIDTH): -SPREAD * (rising[2] - rising[0]) / w,
        (WIDTH, WIDTH): -(rising[3] - 2 * rising[1]) / w,
    }
    if data.lapse is None:
        bends[LOCATION, SHARE] = (1 - theta[GUESS]) * SPREAD * moments[0]
        bends[WIDTH, SHARE] = (1 - theta[GUESS]) * moments[1]
    if data.guess is None:
        of_rise = 1 - theta[SHARE] if data.lapse is None else np.ones_like(w)
        bends[LOCATION, GUESS] = of_rise * SPREAD * moments[0]
        bends[WIDTH, GUESS] = of_rise * moments[1]
        if data.lapse is None:  # and the prior of their product bends too
            left = np.maximum(1 - lapse_rate(data, theta), EDGE)
            bends[SHARE, GUESS] = (residual * curves.upper).sum(0) + RATE_PRIOR / left
    return bends


def _add_priors(data: Data, theta: Floats, gradient: Floats, information: Floats) -> None:
    """Add the priors to a gradient and an information matrix, in place."""
    priors = location_prior(theta[LOCATION]), width_prior(theta[WIDTH], data.step)
    for row, (_, slope, curvature) in enumerate(priors):
        gradient[row] += slope
        information[row, row] += curvature
    if data.guess is None:
        left, row = np.maximum(1 - theta[GUESS], EDGE), data.free.index(GUESS)
        gradient[row] -= RATE_PRIOR / left
        information[row, row] += RATE_PRIOR / left**2
    if data.lapse is None:
        # the prior is on the lapse rate, with derivatives 1 - guess (by share), -share (by guess)
        chain = {data.free.index(SHARE): 1 - theta[GUESS]}
        if data.guess is None:
            chain[data.free.index(GUESS)] = -theta[SHARE]
        left = np.maximum(1 - lapse_rate(data, theta), EDGE)
        for row, by_row in chain.items():
            gradient[row] -= RATE_PRIOR / left * by_row
            for column, by_column in chain.items():
                information[row, column] += RATE_PRIOR / left**2 * by_row * by_column
