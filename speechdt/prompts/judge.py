"""Judgement of prompts by their gain over a baseline prompt on the same clips.

Clips of one group (speaker, recording family) are alike, so intervals come from resampling groups,
each class by itself (`speechdt.statistics.bootstrap`); a candidate and the baseline are always
compared under the same resamples, which takes out what makes clips easy or hard for both.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from speechdt.arrays import Bools, Floats, Indices
from speechdt.prompts.objectives import OBJECTIVES
from speechdt.statistics import bootstrap


class Verdict(NamedTuple):
    """Evidence on a prompt.

    Attributes
    ----------
    clips, items : int
        That it was asked about.
    score, score_low, score_high : float
        Objective on these clips, in its usual sign, with its 95 % interval.
    gain, gain_low, gain_high : float
        How much better than the baseline on the same clips, whatever the sign of the score.
    """

    clips: int
    items: int
    score: float
    score_low: float
    score_high: float
    gain: float
    gain_low: float
    gain_high: float

    @property
    def bound(self) -> tuple[float, float]:
        """Order of winners: the pessimistic bound of the gain, then the gain."""
        return (-np.inf if np.isnan(self.gain_low) else self.gain_low, self.gain)


class Judge:
    """Compares prompts with the baseline prompt.

    Parameters
    ----------
    speech : array_like of bool, (clips,)
    items, groups : array_like, (clips,)
        Item and group of each clip.
    objective : str
        One of `OBJECTIVES`.
    replicates, seed : int
        Of the bootstrap.
    """

    def __init__(
        self,
        speech: ArrayLike,
        items: ArrayLike,
        groups: ArrayLike,
        objective: str = "log_loss",
        replicates: int = 1000,
        seed: int = 0,
    ):
        self.speech = np.asarray(speech, dtype=bool)
        self.items, self.groups = np.asarray(items), np.asarray(groups)
        self.objective = OBJECTIVES[objective]
        self._replicates, self._seed = replicates, seed

    def judge(self, answers: Floats, baseline: Floats, clips: Indices) -> list[Verdict]:
        """Judge prompts on some clips.

        Parameters
        ----------
        answers : float array, (prompts, len(clips))
            P(speech).
        baseline : float array, (len(clips),)
            P(speech) by the baseline prompt.
        clips : int array
            Which clips these are.
        """
        speech = self.speech[clips]
        contributions = self.objective.contributions
        contributed = np.array([contributions(p, speech) for p in (baseline, *answers)])
        means, counts = resampled(
            contributed, speech, self.groups[clips], self._replicates, self._seed
        )
        scores, gains = means[:, 1:], means[:, 1:] - means[:, :1]
        score_ends, gain_ends = (bootstrap.interval(x[0], x[1:], counts) for x in (scores, gains))
        if self.objective.sign < 0:
            scores, score_ends = -scores, (-score_ends[1], -score_ends[0])
        items = len(np.unique(self.items[clips]))
        columns = (scores[0], *score_ends, gains[0], *gain_ends)
        return [Verdict(len(clips), items, *map(float, row)) for row in zip(*columns, strict=True)]

    def contributions(self, answers: Floats, clips: Indices) -> Floats:
        """Return what each clip contributes to the objective, whose mean is the objective.

        More is better, whatever the objective. A clip of the rarer class weighs more.

        Parameters
        ----------
        answers : float array, (len(clips),)
            P(speech) by one prompt.
        clips : int array
        """
        speech = self.speech[clips]
        share = np.where(speech, speech.mean(), 1 - speech.mean())
        return np.asarray(self.objective.contributions(answers, speech) / (2 * share))


def resampled(
    contributed: Floats, speech: Bools, groups: ArrayLike, replicates: int, seed: int
) -> tuple[Floats, list[int]]:
    """Average contributions over both classes, for the clips as they are and for resampled groups.

    Parameters
    ----------
    contributed : float array, (prompts, clips)
        Contribution of each clip.
    speech, groups : arrays, (clips,)
    replicates, seed : int

    Returns
    -------
    means : float array, (1 + replicates, prompts)
        The first as it is.
    groups : list of int
        Groups of each class.
    """
    codes, of_speech, _ = bootstrap.groups_by_class(speech, groups)
    sums = np.zeros((len(of_speech), len(contributed)))
    np.add.at(sums, codes, contributed.T)
    weights = bootstrap.weights(of_speech, replicates, seed)
    means = bootstrap.balanced(weights, of_speech, sums, np.bincount(codes))
    return means, [int(of_speech.sum()), int((~of_speech).sum())]


def describe(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as it stands in a file: NaN, which JSON does not know, becomes None."""
    return {
        name: None if isinstance(value, float) and np.isnan(value) else value
        for name, value in verdict._asdict().items()
    }
