"""Hit rate at matched false alarms: one point of the ROC curve, for resampled groups.

The ROC curve runs straight between its points, one for each distinct score, so that scores that
SPEECH and NONSPEECH share make a slope. Where it is vertical at the false alarms asked for, the
middle of the step counts. All this hangs on the order of the scores alone: any strictly increasing
map of them, and any decision threshold, leaves it as it is (Green & Swets 1966; Fawcett 2006,
doi:10.1016/j.patrec.2005.10.010).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from speechdt.arrays import Floats, Indices

FALSE_ALARMS = 0.10
"""At which two detectors are compared, whatever their decision thresholds."""
FEWEST_TRIALS, FEWEST_GROUPS = 100, 30
"""NONSPEECH trials, and groups of these, that a score must be taken from to be trusted."""
ROUNDING = 1e-9


class Criterion(NamedTuple):
    """Score at which NONSPEECH trials give some rate of false alarms.

    Attributes
    ----------
    scores : (V,) array
        Distinct scores of NONSPEECH trials, falling.
    place, share : (2, R) arrays
        Which of these has the rate, for each replicate, and which share of the trials at it are
        false alarms: of the lower and of the upper end of the ROC curve there, mostly the same.
    trials, groups : int
        That it was taken from.
    """

    scores: Floats
    place: Indices
    share: Floats
    trials: int
    groups: int

    @property
    def trusted(self) -> bool:
        """Whether it rests on trials and groups enough."""
        return self.trials >= FEWEST_TRIALS and self.groups >= FEWEST_GROUPS


def criterion(
    p: Floats, codes: Indices, weights: Floats, false_alarms: float = FALSE_ALARMS
) -> Criterion:
    """Find where the trials of NONSPEECH give a rate of false alarms.

    Parameters
    ----------
    p : (T,) array
        Scores.
    codes : (T,) array of int
        Group of each trial, a column of `weights`.
    weights : (R, G) array
        Of the groups in each replicate.
    false_alarms : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If there is no trial.
    """
    if not len(p):
        raise ValueError("a rate of false alarms needs at least one NONSPEECH trial")
    order = np.argsort(-p, kind="stable")
    scores, first = np.unique(-p[order], return_index=True)
    until = np.append(first[1:], len(p)) - 1
    counted = np.cumsum(weights[:, codes[order]], axis=1)[:, until]
    target = false_alarms * counted[:, -1:]
    ends = [(counted < target * (1 + slack)).sum(1) for slack in (-ROUNDING, ROUNDING)]
    place = np.minimum(ends, len(scores) - 1)
    rows = np.arange(len(counted))
    above = np.where(place > 0, counted[rows, place - 1], 0.0)
    mass = counted[rows, place] - above
    share = np.clip((target[:, 0] - above) / np.where(mass > 0, mass, 1.0), 0, 1)
    return Criterion(-scores, place, share, len(p), len(np.unique(codes)))


def hits(at: Criterion, p: Floats, codes: Indices, weights: Floats) -> Floats:
    """Return the share of SPEECH trials above a criterion, (R,), under weights of their groups.

    Parameters
    ----------
    at : Criterion
        Of NONSPEECH trials, with as many replicates.
    p, codes, weights
        As for `criterion`, of SPEECH trials.
    """
    order = np.argsort(-p, kind="stable")
    falling = -p[order]
    counted = np.cumsum(weights[:, codes[order]], axis=1)
    counted = np.concatenate([np.zeros((len(counted), 1)), counted], axis=1)
    above = np.searchsorted(falling, -at.scores, "left")
    reached = np.searchsorted(falling, -at.scores, "right")
    rows = np.arange(len(counted))
    below, top = counted[rows, above[at.place]], counted[rows, reached[at.place]]
    ends = below + at.share * (top - below)
    total = counted[:, -1]
    none = np.full(len(total), np.nan)
    return np.asarray(np.divide(ends.mean(0), total, out=none, where=total > 0))


def placement(p: Floats, nonspeech: Floats) -> Floats:
    """Return the false alarms at each score: the share of NONSPEECH trials above it, ties halved.

    It puts scores of several detectors on one scale, and leaves the ROC curve of each as it is.
    """
    rivals = np.sort(nonspeech)
    below = np.searchsorted(rivals, p, "left") + np.searchsorted(rivals, p, "right")
    return np.asarray(1 - below / (2 * len(rivals)))


def matched_hits(
    trials: pd.DataFrame, levels: int, weights: Floats, rival_weights: Floats
) -> tuple[Floats, bool]:
    """Return the hit rate at each level, at false alarms that match in each stratum.

    Parameters
    ----------
    trials : DataFrame
        speech, group_id, p_speech; place, of the level among all; and stratum: trials whose
        NONSPEECH share a criterion.
    levels : int
        Their number L.
    weights, rival_weights : (R, G) arrays
        Of the groups of SPEECH and of NONSPEECH.

    Returns
    -------
    rate : (R, L) array
        NaN where no group with trials has any weight.
    trusted : bool
        Whether enough trials stand behind each criterion.
    """
    of, rivals = (trials[trials["speech"] == is_speech] for is_speech in (True, False))
    codes, rival_codes = coded(of)[0], coded(rivals)[0]
    p, place, stratum = (of[name].to_numpy() for name in ("p_speech", "place", "stratum"))
    rival_p, rival_stratum = (rivals[name].to_numpy() for name in ("p_speech", "stratum"))
    rate, trusted = np.full((len(weights), levels), np.nan), True
    for number in np.unique(stratum):
        at = rival_stratum == number
        if not at.any():
            trusted = False
            continue
        threshold = criterion(rival_p[at], rival_codes[at], rival_weights)
        trusted &= threshold.trusted
        for level in np.unique(place[stratum == number]):
            here = (place == level) & (stratum == number)
            rate[:, level] = hits(threshold, p[here], codes[here], weights)
    return rate, trusted


def catch_rates(
    trials: pd.DataFrame, catch: pd.DataFrame, rival_weights: Floats, catch_weights: Floats
) -> Floats:
    """Return the rate at which background alone is above a criterion that pools levels.

    At such a criterion NONSPEECH gives 10 % false alarms on average over the levels, more where it
    is heard and less where it is not. A curve of hits ends where nothing is heard: at this rate.

    Parameters
    ----------
    trials, rival_weights
        As for :func:`matched_hits`.
    catch : DataFrame
        Catch trials: group_id, p_speech, stratum (whose criterion they are held against).
    catch_weights : (R, G) array
        Of the groups of these.

    Returns
    -------
    (R,) array
        Over all strata that have NONSPEECH trials.

    Raises
    ------
    ValueError
        If there is no catch trial in any of them.
    """
    rivals = trials[~trials["speech"]]
    (codes, groups), rival_codes = coded(catch), coded(rivals)[0]
    above, asked = np.zeros(len(rival_weights)), np.zeros(len(rival_weights))
    for stratum in set(catch["stratum"]) & set(rivals["stratum"]):
        here, there = ((of["stratum"] == stratum).to_numpy() for of in (catch, rivals))
        p, rival_p = (of["p_speech"].to_numpy(np.float64) for of in (catch, rivals))
        at = criterion(rival_p[there], rival_codes[there], rival_weights)
        count = catch_weights @ np.bincount(codes[here], minlength=groups)
        above += np.nan_to_num(hits(at, p[here], codes[here], catch_weights)) * count
        asked += count
    if not asked[0]:
        raise ValueError("a guess rate takes a catch trial")
    return np.clip(above / asked, 0.0, 1.0)


def coded(trials: pd.DataFrame) -> tuple[Indices, int]:
    """Number the groups of trials in the order of their names; and say how many there are."""
    codes, names = pd.factorize(trials["group_id"], sort=True)
    return codes, len(names)
