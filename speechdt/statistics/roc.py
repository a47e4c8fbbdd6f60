"""Receiver operating characteristic of weighted groups: the observed curve and its replicates.

A curve has a point for each distinct score, from (0, 0): all trials from that score up are called
SPEECH. Between neighbouring points it is straight, which is what a coin between two thresholds
attains (Fawcett 2006, doi:10.1016/j.patrec.2005.10.010); so every measure here depends on the order
of the scores alone.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from speechdt.arrays import Floats
from speechdt.statistics import bootstrap

CHUNK = 1 << 17
"""Numbers of one array of a curve that are held at a time: few enough for a core's own cache."""


class Curves(NamedTuple):
    """Curves of some replicates.

    Attributes
    ----------
    hit, false_alarm : (r, K + 1) arrays
        Rates at each point, both ascending, from (0, 0) to (1, 1).
    scores : (K,) array
        Distinct scores, descending: point k + 1 calls what scores at least ``scores[k]`` SPEECH.
    """

    hit: Floats
    false_alarm: Floats
    scores: Floats

    def hit_at(self, rates: ArrayLike) -> Floats:
        """Return the hit rate at false-alarm rates, (r, rates); the highest at each of them."""
        rates = np.asarray(rates, dtype=np.float64)
        hits = np.empty((len(self.hit), len(rates)))
        for row, (hit, alarm) in enumerate(zip(self.hit, self.false_alarm, strict=True)):
            after = np.minimum(np.searchsorted(alarm, rates, "right"), len(alarm) - 1)
            before = after - 1
            step = alarm[after] - alarm[before]
            share = np.divide(rates - alarm[before], step, out=np.ones_like(step), where=step > 0)
            hits[row] = hit[before] + np.minimum(share, 1) * (hit[after] - hit[before])
        return hits

    def area(self) -> Floats:
        """Return the area under each curve, (r,)."""
        return np.asarray(np.trapezoid(self.hit, self.false_alarm, axis=1))

    def area_below(self, rate: float, there: Floats | None = None) -> Floats:
        """Return the area left of a false-alarm rate, standardised: 0.5 is chance, 1 perfect, (r,).

        After McClish (1989, doi:10.1177/0272989X8900900307).

        Parameters
        ----------
        rate : float
        there : (r,) array, optional
            The hit rates at it, if they are at hand (:meth:`hit_at`).
        """
        there = self.hit_at([rate])[:, 0] if there is None else there
        alarm = np.minimum(self.false_alarm, rate)
        hit = np.where(self.false_alarm <= rate, self.hit, there[:, None])
        area = np.trapezoid(hit, alarm, axis=1)
        chance = rate**2 / 2
        return np.asarray((1 + (area - chance) / (rate - chance)) / 2)

    def rates_at(self, thresholds: ArrayLike) -> tuple[Floats, Floats]:
        """Return hit and false-alarm rate of ``p >= threshold``, one for all rows or each, (r,)."""
        rows = np.arange(len(self.hit))
        wanted = np.broadcast_to(np.asarray(thresholds, dtype=np.float64), rows.shape)
        point = np.searchsorted(-self.scores, -wanted, "right")
        return self.hit[rows, point], self.false_alarm[rows, point]


class Roc:
    """The curve of a detector on trials, and what it is where groups are weighted.

    Parameters
    ----------
    trials : DataFrame
        One row a trial: speech (bool), group_id, p_speech; both classes must occur.

    Attributes
    ----------
    of_speech : (G,) bool array
        Class of each group, as `bootstrap.groups_by_class` numbers them.
    groups : list of int
        Number of groups of SPEECH, and of NONSPEECH.

    Raises
    ------
    ValueError
        If a class is missing.
    """

    def __init__(self, trials: pd.DataFrame):
        speech = trials["speech"].to_numpy(dtype=bool)
        if speech.all() or not speech.any():
            raise ValueError("a ROC needs trials of both classes")
        codes, self.of_speech, _ = bootstrap.groups_by_class(speech, trials["group_id"])
        self.groups = [int(self.of_speech.sum()), int((~self.of_speech).sum())]
        p = trials["p_speech"].to_numpy(dtype=np.float64)
        order = np.argsort(-p, kind="stable")
        self._codes, self._speech, ordered = codes[order], speech[order], p[order]
        self._ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
        self._scores = ordered[self._ends]

    def curves(self, weights: Floats) -> Iterator[Curves]:
        """Yield the curves of rows of weights, a number of rows at a time.

        Parameters
        ----------
        weights : (R + 1, G) array
            From `bootstrap.weights` of `of_speech`.
        """
        rows = max(1, CHUNK // len(self._codes))
        for start in range(0, len(weights), rows):
            part = weights[start : start + rows]
            yield Curves(self._rates(part, True), self._rates(part, False), self._scores)

    def _rates(self, weights: Floats, of_speech: bool) -> Floats:
        """Return the share of a class that is called SPEECH at each point, (r, K + 1)."""
        of_class = self._speech == of_speech
        total = np.cumsum(weights[:, self._codes[of_class]], axis=1)
        # How many trials of the class score at least as much as each point.
        count = np.cumsum(of_class)[self._ends]
        rates = np.zeros((len(weights), len(self._ends) + 1))
        rates[:, 1:] = np.where(count > 0, total[:, np.maximum(count, 1) - 1], 0.0)
        return rates / total[:, -1:]
