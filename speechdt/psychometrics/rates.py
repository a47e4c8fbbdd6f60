"""Rates behind psychometric curves, as observed and under every draw of groups and criteria."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from speechdt.arrays import Floats
from speechdt.psychometrics.decided import Draws, yes
from speechdt.psychometrics.guess_rate import catch_rate
from speechdt.psychometrics.matched_hits import FALSE_ALARMS, catch_rates, coded, matched_hits
from speechdt.psychometrics.strata import Part
from speechdt.statistics import bootstrap
from speechdt.statistics.metrics import Groups, by_run

DECISIONS = {"detection": "decided", "far10": "decided_far10"}
"""Kinds of curve that are rates of SPEECH decisions, and the column of these."""
KINDS = ("detection", "far10", "roc10", "accuracy", "auc")
CHANCE = 0.5
"""Guess rate of the accuracy and of the area under the ROC curve."""


class Rates(NamedTuple):
    """Counts behind a curve, row 0 as observed, the others resampled.

    Attributes
    ----------
    successes, trials : (replicates + 1, L)
        Of roc10 and auc, rates times the trials behind them: no counts.
    guess : (replicates + 1,) or (replicates + 1, L)
        Fixed guess rate, of each level where levels have their own.
    false_alarms : (replicates + 1,)
        On the NONSPEECH trials of all levels; NaN where the kind has none.
    groups : list of int
        Number of groups in each class that the rates rest on.
    items : int
        Number of items that they rest on.
    trusted : bool
        Whether clips enough stand behind each criterion.
    """

    successes: Floats
    trials: Floats
    guess: Floats
    false_alarms: Floats
    groups: list[int]
    items: int
    trusted: bool = True

    @property
    def rates(self) -> Floats:
        """Rate at each level, NaN without trials."""
        return _ratio(self.successes, self.trials)

    def and_more(self, other: "Rates") -> "Rates":
        """Return these with the replicates of others of the same trials."""
        names = ("successes", "trials", "guess", "false_alarms")
        longer: Any = {
            name: np.concatenate([getattr(self, name), getattr(other, name)[1:]]) for name in names
        }
        return self._replace(**longer)


class Decided(NamedTuple):
    """SPEECH decisions by level, (replicates + 1, L) each."""

    hits: Floats
    speech: Floats
    alarms: Floats
    nonspeech: Floats

    @property
    def false_alarms(self) -> Floats:
        """Return the rate over all levels."""
        return _ratio(self.alarms.sum(1), self.nonspeech.sum(1))


def rates(part: Part, draws: Sequence[Draws]) -> dict[str, Rates]:
    """Return the rates of each kind, and d', of all training runs together.

    Parameters
    ----------
    part : Part
    draws : sequence of Draws
        Of each run.
    """
    of_runs = [
        _of_run(part, trials, catch, own)
        for trials, catch, own in zip(by_run(part.trials), by_run(part.catch), draws, strict=True)
    ]
    return {kind: _mean([run[kind] for run in of_runs], draws[0]) for kind in of_runs[0]}


def _mean(runs: list[Rates], draws: Draws) -> Rates:
    averaged: Any = {
        name: bootstrap.over_runs([getattr(run, name) for run in runs], draws.seed, draws.block)
        for name in ("successes", "trials", "guess", "false_alarms")
    }
    return runs[0]._replace(**averaged, trusted=all(run.trusted for run in runs))


def _of_run(
    part: Part, trials: pd.DataFrame, catch: pd.DataFrame, draws: Draws
) -> dict[str, Rates]:
    own = {kind: decided(trials, len(part.levels), name, draws) for kind, name in DECISIONS.items()}
    items = {
        of: int(trials.loc[trials["speech"] | ~of, "item_id"].nunique()) for of in (True, False)
    }
    counts = [coded(trials[trials["speech"] == of])[1] for of in (True, False)]
    by_kind = {}
    for kind, of in own.items():
        guess = _guess(part, catch, DECISIONS[kind], draws)
        by_kind[kind] = Rates(of.hits, of.speech, guess, of.false_alarms, counts[:1], items[True])
    if counts[1]:
        asked = own["detection"].speech
        by_kind["roc10"] = _roc10(trials, len(part.levels), asked, draws, catch, part.pools_levels)
        by_kind["roc10"] = by_kind["roc10"]._replace(groups=counts, items=items[True])
    if counts[1] and not part.of_speech:
        by_kind["accuracy"] = _accuracy(own["detection"], counts, items[False])
        by_kind["auc"] = _auc(trials, len(part.levels), items[False], draws)
        by_kind["dprime"] = _dprime(own["detection"], counts, items[False])
    return by_kind


def decided(trials: pd.DataFrame, levels: int, decision: str, draws: Draws) -> Decided:
    """Count the SPEECH decisions of one run at each level.

    Parameters
    ----------
    trials : DataFrame
        Those of `Part`.
    levels : int
    decision : str
        Column of decisions.
    draws : Draws
    """
    sums = []
    for number, of in _classes(trials):
        codes, groups = coded(of)
        tally = np.zeros((2, draws.replicates + 1, levels))
        if groups:
            weights = draws.of_groups(groups, number)
            place = of["place"].to_numpy()
            for level in np.unique(place):
                at = place == level
                counted = yes(of[at], codes[at], groups, decision, draws)
                tally[0, :, level] = (weights * counted).sum(1)
                tally[1, :, level] = weights @ np.bincount(codes[at], minlength=groups)
        sums += list(tally)
    return Decided(*sums)


def _guess(part: Part, catch: pd.DataFrame, decision: str, draws: Draws) -> Floats:
    """Return the rate on catch trials, along duration that of each."""
    if part.dimension != "duration":
        return catch_rate(catch, decision, draws)
    return np.stack(
        [catch_rate(catch[catch["duration_ms"] == at], decision, draws) for at in part.levels],
        axis=1,
    )


def _roc10(
    trials: pd.DataFrame,
    levels: int,
    asked: Floats,
    draws: Draws,
    catch: pd.DataFrame,
    pools_levels: bool,
) -> Rates:
    """Return the hits at matched false alarms, as many answers as there are SPEECH trials.

    The guess rate is that of the false alarms, or that on catch trials where levels are pooled.
    """
    weights = [draws.of_groups(coded(of)[1], number) for number, of in _classes(trials)]
    rate, trusted = matched_hits(trials, levels, *weights)
    constant = np.full(len(rate), FALSE_ALARMS)
    guess = constant
    if pools_levels:
        of_catch = draws.of_groups(coded(catch)[1], 2)
        guess = catch_rates(trials, catch.assign(stratum=0), weights[1], of_catch)
    return Rates(np.nan_to_num(rate) * asked, asked, guess, constant, [], 0, trusted)


def _classes(trials: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    """Return SPEECH and NONSPEECH, each with its number among what is drawn by itself."""
    return [(number, trials[trials["speech"] == of]) for number, of in enumerate((True, False))]


def _accuracy(of: Decided, groups: list[int], items: int) -> Rates:
    """Count correct decisions, the classes weighted alike whatever their numbers."""
    total = of.speech + of.nonspeech
    rate = (_ratio(of.hits, of.speech) + 1 - _ratio(of.alarms, of.nonspeech)) / 2
    guess = np.full(len(rate), CHANCE)
    return Rates(rate * total, total, guess, of.false_alarms, groups, items)


def _auc(trials: pd.DataFrame, levels: int, items: int, draws: Draws) -> Rates:
    """Give the AUC of each level the weight of as many answers as a level has SPEECH clips."""
    auc = np.zeros((draws.replicates + 1, levels))
    for level in range(levels):
        groups = Groups(trials[trials["place"] == level])
        weights = bootstrap.weights(groups.speech, draws.replicates, draws.seed, block=draws.block)
        auc[:, level] = groups.auc(weights)
    counts = trials.loc[trials["speech"], "place"].value_counts()
    total = np.broadcast_to(counts.reindex(range(levels)).to_numpy(float), auc.shape).copy()
    chance, none = np.full(len(auc), CHANCE), np.full(len(auc), np.nan)
    return Rates(auc * total, total, chance, none, groups.count_behind("auc"), items)


def _dprime(of: Decided, groups: list[int], items: int) -> Rates:
    """Return d' of each level in the place of a rate; no curve is fitted to it.

    Half a trial is added to each count, so that it stays finite (Hautus 1995).
    """
    hits, alarms = (of.hits + 0.5) / (of.speech + 1), (of.alarms + 0.5) / (of.nonspeech + 1)
    dprime = ndtri(hits) - ndtri(alarms)
    none = np.full(len(dprime), np.nan)
    return Rates(dprime, np.ones_like(dprime), none, of.false_alarms, groups, items)


def _ratio(part: Floats, whole: Floats) -> Floats:
    none = np.full(part.shape, np.nan)
    return np.asarray(np.divide(part, whole, out=none, where=whole > 0))
