"""Clustered bootstrap: intervals from resampling whole groups, each class by itself.

Trials of one group are alike, so the group is the unit that is drawn. Few groups need care: a plain
percentile bootstrap over 13 groups misses a 95 % target by three points or so, because it puts the
variance of a mean too low by 1 / groups, and takes normal tails for Student's. Both are corrected:
each class with n groups draws n - 1 of them and scales the weights back up (Rao & Wu 1988,
doi:10.2307/2288945), and percentiles are taken at the tails of Student's t (after Hesterberg 2015,
doi:10.1080/00031305.2015.1089789). `benchmarks/coverage.py` measures what comes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, ndtr, stdtrit

from speechdt.arrays import Bools, Floats, Indices

__all__ = [
    *("balanced", "group_weights", "groups_by_class", "interval", "monte_carlo_error"),
    *("over_runs", "weights"),
]


SMOOTHED_AS = 1000
"""Quantiles are smoothed as if there were no more replicates: where these leave a gap, as those do
whose decision threshold has few values, a bound would otherwise leap over it with the seed."""
FEWEST = 5  # with fewer groups even the most extreme resample lies within Student's t interval


def groups_by_class(speech: ArrayLike, groups: ArrayLike) -> tuple[Indices, Bools, NDArray[Any]]:
    """Number the groups that are drawn, each class by itself.

    Parameters
    ----------
    speech : (T,) array of bool
        Class of each trial.
    groups : (T,) array
        Group of each trial: text, or whatever can be sorted.

    Returns
    -------
    codes : (T,) array of int
        Number of each trial's group.
    of_speech : (G,) array of bool
        Class of each group; a group that has trials in both classes is two groups here. NONSPEECH
        comes first, each class in the order of the names: random draws hang on it.
    names : (G,) array
        Of each group; the two halves of a group of both classes have the same name.

    Raises
    ------
    ValueError
        If a trial has no group (None or NaN).
    """
    number, names = pd.factorize(np.asarray(groups), sort=True)
    if (number < 0).any():
        raise ValueError("each trial needs a group")
    drawn, codes = np.unique(
        np.asarray(speech, dtype=bool) * len(names) + number, return_inverse=True
    )
    return codes, drawn >= len(names), np.asarray(names)[drawn % len(names)]


def group_weights(strata: ArrayLike, replicates: int, seed: int, *, draws: str = "test") -> Floats:
    """Draw how much each group counts in each bootstrap replicate.

    A metric's replicates are the metric of ``weights @ sums``, where ``sums`` holds one row of
    counts a group. Two detectors on the same trials share the weights, which pairs them.

    Parameters
    ----------
    strata : (G,) array
        Class (or whatever is drawn by itself) of each group. A group that has trials in two strata
        is two groups here.
    replicates : int
        Number of replicates R; 1,000 or more for `interval`.
    seed : int
        Same strata, replicates, seed and `draws`: same weights.
    draws : str
        Name of what is drawn: test's groups, dev's, or training runs. Each is drawn by itself, even
        where their numbers agree.

    Returns
    -------
    (R, G) array of float
        In a stratum of n groups, multiples of n / (n - 1) that sum to n. A group that is alone in
        its stratum always weighs 1: one group says nothing about how groups differ.

    Raises
    ------
    ValueError
        If there is no group, or fewer than one replicate.
    """
    strata = np.asarray(strata)
    if strata.ndim != 1 or not strata.size:
        raise ValueError(f"strata must be a row with one entry a group, not {strata.shape}")
    if replicates < 1:
        raise ValueError(f"there must be at least one replicate, not {replicates}")
    return _drawn(tuple(np.unique(strata, return_inverse=True)[1]), replicates, seed, draws).copy()


@lru_cache(maxsize=4)
def _drawn(strata: tuple[int, ...], replicates: int, seed: int, draws: str) -> Floats:
    """Draw weights for strata by their numbers; parts of the trials often have the same groups."""
    rng = np.random.default_rng([seed, *draws.encode()])
    of_group = np.array(strata)
    drawn = np.ones((replicates, of_group.size))
    for stratum in range(of_group.max() + 1):
        members = np.flatnonzero(of_group == stratum)
        n = members.size
        if n > 1:
            times = rng.multinomial(n - 1, np.full(n, 1 / n), size=replicates)
            drawn[:, members] = times * (n / (n - 1))
    return drawn


def weights(
    strata: ArrayLike, replicates: int, seed: int, *, draws: str = "test", block: int = 0
) -> Floats:
    """Return the weights of the groups as observed, then those of each bootstrap replicate.

    So ``weights @ sums`` is a metric's observed value and its replicates at once, which `interval`
    takes as ``rows[0], rows[1:]``.

    Parameters
    ----------
    strata, replicates, seed, draws
        As for `group_weights`, which draws.

    Returns
    -------
    (R + 1, G) array of float
        Row 0 is all ones, the others are those of `group_weights`.

    Raises
    ------
    ValueError
        As `group_weights`.
    """
    name = f"{draws} {block}" if block else draws
    drawn = group_weights(strata, replicates, seed, draws=name)
    return np.vstack([np.ones(drawn.shape[1]), drawn])


def balanced(weights: Floats, of_speech: Bools, sums: Floats, counts: ArrayLike) -> Floats:
    """Average over trials within each class, then over the two classes.

    Parameters
    ----------
    weights : (R + 1, G) array
        From `weights`.
    of_speech : (G,) array of bool
        From `groups_by_class`.
    sums : (G, C) array
        Of what is averaged, over the trials of each group; if it is correct decisions, balanced
        accuracy is what comes out.
    counts : (G,) array
        Trials of each group.

    Returns
    -------
    (R + 1, C) array
        NaN if a class has no group.
    """
    n = np.asarray(counts, dtype=np.float64)
    of_classes = [
        weights[:, of] @ sums[of] / (weights[:, of] @ n[of])[:, None]
        for of in (of_speech, ~of_speech)
    ]
    return np.asarray((of_classes[0] + of_classes[1]) / 2)


def over_runs(values: ArrayLike, seed: int, block: int = 0) -> Floats:
    """Average a metric over the training runs (seeds) of a variant, their spread in its replicates.

    Each replicate draws n - 1 of n runs and scales them up, as `group_weights` does with groups, so
    that the variance between runs adds to that between groups. `interval` still takes the degrees
    of freedom of the groups: with few runs that differ much, it is a little narrow.

    Parameters
    ----------
    values : (n, R + 1, ...) array
        The metric of each run: row 0 as observed, the others under the rows of `weights`.
    seed, block : int
        Same runs, replicates, seed and block: same draws.

    Returns
    -------
    (R + 1, ...) array
    """
    values = np.asarray(values, dtype=np.float64)
    runs, rows = values.shape[:2]
    counts = np.ones((rows, runs))
    if runs > 1:
        counts[1:] = weights(np.zeros(runs), rows - 1, seed, draws="runs", block=block)[1:]
    return np.asarray(np.einsum("rn,nr...->r...", counts / runs, values))


def interval(
    point: ArrayLike,
    replicates: ArrayLike,
    groups: int | Sequence[int],
    level: float = 0.95,
    *,
    units: float | None = None,
) -> tuple[Floats, Floats]:
    """Return the confidence interval of a metric from its replicates under `group_weights`.

    Bounds are smoothed quantiles (Harrell & Davis 1982, doi:10.1093/biomet/69.3.635), which depend
    less on the draw; of more than `SMOOTHED_AS` replicates as widely as of so many. With an
    infinite replicate (a censored threshold) or an undefined one (NaN, beyond either end) they are
    replicates; an infinite one leaves the interval open on its side.

    Parameters
    ----------
    point : (...) array
        The metric itself.
    replicates : (R, ...) array
        The metric under each row of weights; 1,000 or more, as bounds lie far out with few groups.
    groups : int or sequence of int
        Groups in each stratum that the metric draws on; the smallest gives the degrees of freedom.
        Leave out strata that hardly matter (catch trials, for a threshold).
    level : float
    units : float, optional
        For rates: the independent units behind them, which are groups, not trials. A rate of 0 or 1
        has at least the exact binomial limits of so many (`speechdt.statistics.limits`).

    Returns
    -------
    low, high : (...) array
        NaN if a stratum has one group only. With two to four groups, or few replicates, the tails
        are beyond any replicate: there it is the point and Student's t times the standard deviation
        of the replicates, which may leave the range of the metric.

    Raises
    ------
    ValueError
        If shapes do not fit, `level` is not between 0 and 1, or a stratum has no group.

    Notes
    -----
    Rates very near 0 or 1 remain a little too sure: at 0.98 over 13 groups it covers about 91 %.
    """
    point, samples = np.asarray(point, float), np.asarray(replicates, float)
    fewest = int(np.min(groups))
    _check(point, samples, fewest, level)
    if fewest == 1:
        return np.full(point.shape, np.nan)[()], np.full(point.shape, np.nan)[()]
    t, beyond = _tail(len(samples), fewest, level)
    if beyond:
        low, high = -_upper(-samples, beyond, t), _upper(samples, beyond, t)
    else:
        low, high = _student(point, samples, t)
    if units is not None:
        slack = 1 - ((1 - level) / 2) ** (1 / units)
        low = np.where(point >= 1, np.fmin(low, 1 - slack), low)
        high = np.where(point <= 0, np.fmax(high, slack), high)
    return low[()], high[()]


def monte_carlo_error(
    replicates: ArrayLike, groups: int | Sequence[int], level: float = 0.95
) -> Floats:
    """Return the standard error that the number of replicates leaves to the bounds of `interval`.

    A bound is a weighted sum of ordered replicates; its error follows from how much each of them
    moves it (its influence function; Serfling 1980, *Approximation theorems*, section 8.1).

    Parameters
    ----------
    replicates : (R, ...) array
    groups, level
        As for `interval`.

    Returns
    -------
    (2, ...) array
        Of the lower and the upper bound; 0 where they come from the spread of all replicates; NaN
        where a bound is infinite or undefined.
    """
    samples = np.asarray(replicates, float)
    t, beyond = _tail(len(samples), int(np.min(groups)), level)
    if not beyond:
        return np.zeros((2, *samples.shape[1:]))
    ordered = np.sort(samples, axis=0)
    with np.errstate(invalid="ignore"):
        apart = np.diff(ordered, axis=0)
        return np.stack([_error(apart, float(ndtr(tail))) for tail in (-t, t)])


def _error(apart: Floats, share: float) -> Floats:
    """Return the standard error of a smoothed quantile of replicates that lie so far apart."""
    count = len(apart) + 1
    density = count * _harrell_davis(count, share)[:-1]
    moved = np.cumsum(density.reshape(-1, *(1,) * (apart.ndim - 1)) * apart, axis=0)
    # The lowest replicate moves it by nothing more than all others do.
    mean = moved.sum(axis=0) / count
    return np.asarray(np.sqrt(np.maximum((moved**2).sum(axis=0) / count - mean**2, 0) / count))


def _tail(replicates: int, fewest: int, level: float) -> tuple[float, int]:
    """Return Student's t, and the rank of a bound from its end; 0 if it is beyond any replicate."""
    t = float(stdtrit(fewest - 1, (1 + level) / 2))
    return t, int((replicates + 1) * ndtr(-t)) if fewest >= FEWEST else 0


def _check(point: Floats, samples: Floats, fewest: int, level: float) -> None:
    if samples.ndim == 0 or not len(samples) or samples.shape[1:] != point.shape:
        raise ValueError(f"replicates {samples.shape} do not fit a point of shape {point.shape}")
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, not {level}")
    if fewest < 1:
        raise ValueError("each stratum needs a group")


def _upper(samples: Floats, rank: int, t: float) -> Floats:
    """Return the upper bound: a smoothed quantile, or the value of a rank, NaN being above all."""
    ordered: Floats = np.sort(samples, axis=0)
    exact = ordered[len(ordered) - rank]
    share = _harrell_davis(len(ordered), float(ndtr(t)))
    with np.errstate(invalid="ignore"):
        # From the highest on: where most replicates share it, as rates of 1 do, it is the bound.
        smooth = ordered[-1] + np.tensordot(share, ordered - ordered[-1], axes=1)
    finite = np.isfinite(ordered[0]) & np.isfinite(ordered[-1])
    return np.asarray(np.where(finite, smooth, exact))


@lru_cache(maxsize=64)
def _harrell_davis(count: int, share: float) -> Floats:
    """Return how much each of so many ordered values counts in their quantile."""
    steps, smoothed = np.arange(count + 1) / count, min(count, SMOOTHED_AS) + 1
    return np.diff(betainc(smoothed * share, smoothed * (1 - share), steps))


def _student(point: Floats, samples: Floats, t: float) -> tuple[Floats, Floats]:
    """Point and t standard deviations to either side, open if a replicate is infinite."""
    finite = np.isfinite(samples).all(0) & np.isfinite(point)
    unknown = np.isnan(samples).any(0) | np.isnan(point)
    spread = t * np.where(finite, samples, 0.0).std(0)
    half = np.where(finite, spread, np.where(unknown, np.nan, np.inf))
    centre = np.where(finite, point, 0.0)
    return centre - half, centre + half
