"""Decision threshold: chosen on dev, and chosen again on the groups of each replicate.

A threshold that was learned from few speakers is uncertain, and what is decided with it as well:
with it held fixed, 95 % intervals of DT75 covered the detector's own in 78 % of simulations with 13
speakers in dev. Each replicate of the bootstrap therefore has a threshold of its own, from dev's
groups, drawn apart from those of test. Two detectors share the draws, which pairs them.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from speechdt.arrays import Floats, Indices
from speechdt.statistics import bootstrap

Counts: TypeAlias = tuple[Indices, Floats]
"""Groups of a class, and how many trials of each are at or above each score."""
Rule: TypeAlias = Literal["balanced", "far10"]
"""Best balanced accuracy, or the most hits with at most 10 % false alarms."""

NEVER = float(np.nextafter(1.0, 2.0))
"""Threshold that no score reaches."""
CHANCE = 0.5
"""AUC of a detector that hears nothing."""
HALF = 0.5
"""Threshold where none is better than another: the detector's own answer, taking neither side."""
FALSE_ALARMS = 0.10
TIE = 1e-9
"""Rates that differ by less are the same."""
BLOCKS, BLOCKS_WITHOUT_SKILL = 8, 64
"""How many times as many thresholds as replicates are kept, for bounds that few of them carry; most
where dev does not show that the AUC is above 0.5, since thresholds then fall anywhere."""
AT_ONCE = 500_000
"""Rates that are in memory at a time: few, so that they stay in the cache."""


class Thresholds(NamedTuple):
    """Decision thresholds of each training run of a variant, in each replicate.

    Attributes
    ----------
    balanced, far10 : (runs, R + 1) arrays
        By each `Rule`; column 0 is that of the calibration.
    """

    balanced: Floats
    far10: Floats


def candidates(p: ArrayLike) -> Floats:
    """Return a threshold for every decision that can be made of scores, ascending.

    Parameters
    ----------
    p : (T,) array

    Returns
    -------
    (U + 1,) array, U being the number of different scores
        0 (always SPEECH), half-way between neighbouring scores, and `NEVER`.
    """
    values = np.unique(np.asarray(p, dtype=np.float64))
    # The mean of two neighbouring floats can round down to the lower one.
    between = np.maximum((values[:-1] + values[1:]) / 2, np.nextafter(values[:-1], 2))
    return np.concatenate([[0.0], between, [NEVER]])


def chosen(p: ArrayLike, speech: ArrayLike, rule: Rule, codes: Indices, weights: Floats) -> Floats:
    """Choose a threshold for trials whose groups are weighted by each row of `weights`.

    Of several that are equally good the middle one is taken; where none is better than always
    giving one answer, `HALF`.

    Parameters
    ----------
    p : (T,) array
        Raw scores.
    speech : (T,) array of bool
    rule : Rule
    codes : (T,) array of int
        Number of each trial's group, in which all are of one class.
    weights : (R, G) array

    Returns
    -------
    (R,) array
    """
    p, speech = np.asarray(p, dtype=np.float64), np.asarray(speech, dtype=bool)
    values, place = np.unique(p, return_inverse=True)
    thresholds, places = candidates(p), []
    reached = [_counts_above(place[of], codes[of], len(values)) for of in (speech, ~speech)]
    step = max(1, AT_ONCE // len(thresholds))
    choice = _balanced if rule == "balanced" else _far10
    for first in range(0, len(weights), step):
        places.append(choice(weights[first : first + step], *reached))
    chosen_place = np.concatenate(places)
    return np.where(chosen_place < 0, HALF, thresholds[chosen_place])


def _counts_above(place: Indices, codes: Indices, scores: int) -> Counts:
    """Return the groups that have trials, and how many of each are at or above each score.

    Returns
    -------
    groups : (g,) array
    counts : (g, scores + 1) array
        The last column is above all scores: zeros.
    """
    groups, own = np.unique(codes, return_inverse=True)
    counts = np.zeros((len(groups), scores + 1))
    np.add.at(counts, (own, place), 1.0)
    return groups, np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]


def _shares(weights: Floats, groups: Indices, counts: Floats) -> Floats:
    """Return how much each trial of a group adds to the rate of its class, (R, g)."""
    own = weights[:, groups]
    return np.asarray(own / (own @ counts[:, 0])[:, None])


def _balanced(weights: Floats, speech: Counts, nonspeech: Counts) -> Indices:
    """Return the place of the best balanced accuracy in each row; -1 if none beats one answer."""
    shares = np.hstack([_shares(weights, *speech), -_shares(weights, *nonspeech)])
    gain = shares @ np.vstack([speech[1], nonspeech[1]])  # hits minus false alarms
    most = gain.max(axis=1)
    row, place = np.nonzero(gain >= (most - TIE)[:, None])
    best = np.bincount(row, minlength=len(gain))
    middle = place[np.cumsum(best) - best + best // 2]
    return np.where(most <= TIE, -1, middle)


def _far10(weights: Floats, _: Counts, nonspeech: Counts) -> Indices:
    """Return the place of the lowest threshold with so few false alarms in each row."""
    false_alarm = _shares(weights, *nonspeech) @ nonspeech[1]
    return np.asarray((false_alarm <= FALSE_ALARMS + TIE).argmax(axis=1))


def threshold_replicates(
    dev: pd.DataFrame, *, rule: Rule, replicates: int, seed: int, blocks: int = 1
) -> Floats:
    """Choose the threshold on dev, and again on dev's resampled groups.

    Parameters
    ----------
    dev : DataFrame
        Trials in noise of dev: speech (bool), group_id, p_speech.
    rule : Rule
    replicates, seed : int
        Of the bootstrap; dev's groups have draws of their own under the same seed as test's.
    blocks : int
        So many times as many replicates: the former ones, and more (`bootstrap.weights`).

    Returns
    -------
    (blocks * R + 1,) array
        Row 0 is what `calibrate` learns.
    """
    codes, of_speech, _ = bootstrap.groups_by_class(dev["speech"], dev["group_id"])
    thresholds = []
    for block in range(blocks):
        weights = bootstrap.weights(of_speech, replicates, seed, draws="dev", block=block)
        thresholds.append(
            chosen(dev["p_speech"], dev["speech"], rule, codes, weights[min(block, 1) :])
        )
    return np.concatenate(thresholds)


def blocks_for(lowest_auc: float) -> int:
    """Return how many blocks of thresholds are kept, by the lower bound of the AUC on dev."""
    return BLOCKS_WITHOUT_SKILL if lowest_auc <= CHANCE else BLOCKS


def yes_counts(
    p: ArrayLike,
    codes: Indices,
    groups: int,
    thresholds: Floats,
    values: ArrayLike | None = None,
) -> Floats:
    """Count the trials of each group that are decided to be SPEECH in each replicate.

    Parameters
    ----------
    p : (T,) array
        Raw scores.
    codes : (T,) array of int
        Number of each trial's group.
    groups : int
        Their number G.
    thresholds : (R + 1,) array
    values : (T,) array, optional
        What is summed over these trials instead of counting them.

    Returns
    -------
    (R + 1, G) array
    """
    ordered, back = np.unique(thresholds, return_inverse=True)
    reached = np.searchsorted(ordered, np.asarray(p, dtype=np.float64), side="right")
    width = len(ordered) + 1
    sums = np.bincount(
        reached * groups + codes,
        weights=None if values is None else np.asarray(values, dtype=np.float64),
        minlength=width * groups,
    ).reshape(width, groups)
    above = np.cumsum(sums[::-1], axis=0)[::-1].astype(np.float64)
    # Of threshold k (from 0) are all trials that reach more than k thresholds.
    return above[1:][back.reshape(-1)]


def of_runs(tables: Sequence[pd.DataFrame]) -> Thresholds:
    """Put the thresholds of several runs together.

    Parameters
    ----------
    tables : sequence of DataFrame
        ``calibration/{run}.thresholds.parquet`` of each: threshold, threshold_far10. As many
        replicates are returned as all runs have.
    """
    shared = min(map(len, tables))
    columns = [
        np.stack([table[name].to_numpy(np.float64)[:shared] for table in tables])
        for name in ("threshold", "threshold_far10")
    ]
    return Thresholds(*columns)
