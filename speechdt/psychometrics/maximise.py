"""Maximum of the posterior of psychometric curves, for whole batches of curves.

A grid gives each curve its starts, one from each region where the posterior may have a mode of its
own; damped Newton steps take all starts of all curves uphill at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from speechdt.arrays import Floats
from speechdt.psychometrics.posterior import (
    EDGE,
    GUESS,
    LOCATION,
    SHARE,
    SPREAD,
    TINY,
    WIDTH,
    Data,
    location_prior,
    log_posterior,
    rate_prior,
    scores,
    width_prior,
)

TOLERANCE = 1e-8  # expected gain in log posterior below which a fit ends
MAX_STEPS = 200
FAR_STEPS = 5  # that follow the expected information, before those that follow the observed one
SAME = 1e-5  # two climbs that are nearer than this in every parameter are one
FREE_NODES = np.array([0.0, 0.02, 0.06, 0.15, 0.3, 0.5, 0.75])  # starts of a rate that is fitted
FIXED_NODES = np.array([0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 0.95, 1.0])


def maximum(data: Data) -> Floats:
    """Return the parameters (4, R) of the best maximum reached from the regions of the grid."""
    curves = data.k.shape[1]
    starts = [_best_node(data, m, w) for m, w in _regions(data)]
    low, high = _bounds(data)
    theta = np.concatenate([np.clip(start, low, high) for start in starts], axis=1)
    value = _polish(data, theta, low, high)
    best = value.reshape(-1, curves).argmax(0) * curves + np.arange(curves)
    return theta[:, best]


def _regions(data: Data) -> list[tuple[Floats, Floats]]:
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


def _best_node(data: Data, m: Floats, w: Floats) -> Floats:
    """Best point (4, R) for each curve among some locations and widths with the grid's rates."""
    z = SPREAD * (data.x - m[:, None]) / w[:, None]
    upper, lower = ndtr(z), ndtr(-z)
    shape_prior = location_prior(m)[0] + width_prior(w, data.step)[0]
    # Starts alone come from here: single precision, which takes half the time, is enough.
    counts = np.concatenate([data.k, data.n - data.k]).T.astype(np.float32)
    best, theta = np.full(len(counts), -np.inf), np.zeros((4, len(counts)))
    for gamma, lam, share, rows in _rate_nodes(data):
        rise = 1 - gamma - lam
        rates = np.concatenate([gamma + rise * upper, lam + rise * lower], axis=1)
        likelihood = np.log(np.maximum(rates, TINY)).T.astype(np.float32)
        total = counts[rows] @ likelihood + shape_prior.astype(np.float32)
        top = total.argmax(1)
        value = total[np.arange(rows.size), top]
        value += rate_prior(gamma) if data.guess is None else 0
        value += rate_prior(lam) if data.lapse is None else 0
        better = value > best[rows]
        rows, top = rows[better], top[better]
        best[rows] = value[better]
        theta[LOCATION, rows], theta[WIDTH, rows] = m[top], w[top]
        theta[SHARE, rows], theta[GUESS, rows] = share, gamma
    return theta


def _rate_nodes(data: Data) -> list[tuple[float, float, float, NDArray[np.intp]]]:
    """Guess, lapse and share of each node of the rates' grid, and the rows that it is for."""
    nodes = []
    for gamma, guess_rows in _nodes(data.guess, data.k.shape[1]):
        for lam, lapse_rows in _nodes(data.lapse, data.k.shape[1]):
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


def _bounds(data: Data) -> tuple[Floats, Floats]:
    """Lowest and highest value of each parameter, each (4, R)."""
    low, high = np.zeros((4, data.k.shape[1])), np.ones((4, data.k.shape[1]))
    low[LOCATION], high[LOCATION] = -0.5 + EDGE, 1.5 - EDGE
    low[WIDTH], high[WIDTH] = data.step * (1 + EDGE), 3 - EDGE
    if data.guess is not None:
        low[GUESS] = high[GUESS] = data.guess
    elif data.lapse is not None:
        high[GUESS] = 1 - data.lapse
    return low, high


def _polish(data: Data, theta: Floats, low: Floats, high: Floats) -> Floats:
    """Climb from starts to maxima of the posterior by damped Newton steps (Levenberg-Marquardt).

    Parameters
    ----------
    theta : (4, S * R) array
        S starts for each of R curves, one start of all curves after the other; ends in place.
    low, high : (4, R) array
        Bounds.

    Returns
    -------
    (S * R,) array
        Log posterior of the ends.
    """
    curves = data.k.shape[1]
    at = np.arange(theta.shape[1])
    value = log_posterior(data.take(at % curves), theta)
    damping = np.full(value.shape, 1e-3)
    for number in range(MAX_STEPS):
        if not at.size:
            break
        curve, here = at % curves, theta[:, at]
        part = data.take(curve)
        ends = low[:, curve], high[:, curve]
        step, gain = _step(part, here, *ends, damping[at], near=number >= FAR_STEPS)
        reached = log_posterior(part, here + step)
        better = reached > value[at]
        theta[:, at] = np.where(better, here + step, here)
        value[at] = np.where(better, reached, value[at])
        damping[at] = np.maximum(damping[at] * np.where(better, 0.1, 10.0), 1e-9)
        best = value.reshape(-1, curves).argmax(0)[curve] * curves + curve
        # a start that many times its expected gain would leave far behind another is given up, and
        # one that has come so near to another that it will end where that one does
        hopeful = value[at] + 10 * (gain + 1) > value[best]
        hopeful &= (best == at) | (np.abs(theta[:, at] - theta[:, best]).max(0) > SAME)
        # a step that keeps being rejected is damped until it expects no gain, so that ends too
        at = at[hopeful & (gain > TOLERANCE)]
    return value


def _step(
    data: Data, theta: Floats, low: Floats, high: Floats, damping: Floats, *, near: bool
) -> tuple[Floats, Floats]:
    """Damped step (4, R) within the bounds, and the gain (R,) that a quadratic expects of it."""
    free = data.free
    gradient, information = scores(data, theta, observed=near)
    held = ((theta <= low)[free] & (gradient <= 0)) | ((theta >= high)[free] & (gradient >= 0))
    gradient = np.where(held, 0.0, gradient)
    step = np.zeros_like(theta)
    step[free], uphill = _solved(_damped(information, held, damping), gradient)
    rest = np.flatnonzero(~uphill)
    if rest.size:  # near another kind of point than a maximum
        expected = scores(data.take(rest), theta[:, rest], observed=False)[1]
        solution, _ = _solved(_damped(expected, held[:, rest], damping[rest]), gradient[:, rest])
        step[np.array(free)[:, None], rest] = solution
    gain = 0.5 * (gradient * step[free]).sum(0)
    return np.clip(theta + step, low, high) - theta, gain


def _damped(information: Floats, held: NDArray[np.bool_], damping: Floats) -> Floats:
    """Return information matrices with their diagonals lifted, and 1 alone for what is held."""
    information = np.where(held | held[:, None], 0.0, information)
    for place, own in enumerate(held):
        lifted = damping * (np.abs(information[place, place]) + 1e-3)
        information[place, place] += lifted + own
    return information


def _solved(a: Floats, b: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Solve R systems (P, P, R) at once by elimination, and say which matrices are positive."""
    a, b, size = a.copy(), b.copy(), len(b)
    positive: NDArray[np.bool_] = np.asarray(np.isfinite(a).all((0, 1)))
    for i in range(size):
        positive &= a[i, i] > 0
        a[i, i] = np.where(positive, a[i, i], 1.0)
        for j in range(i + 1, size):
            factor = a[j, i] / a[i, i]
            a[j, i:] -= factor * a[i, i:]
            b[j] -= factor * b[i]
    for i in reversed(range(size)):
        b[i] = (b[i] - (a[i, i + 1 :] * b[i + 1 :]).sum(0)) / a[i, i]
    return b, positive
