"""Objectives of a prompt search, as contributions of single clips.

The objective is the mean over both classes of the mean contribution of a class. Sums over groups of
clips then give the objective of any resample, so that one bootstrap serves every objective.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from speechdt.arrays import Bools, Floats
from speechdt.statistics.calibration import fit_platt, logit, operating_points


class Objective(NamedTuple):
    """An objective.

    Attributes
    ----------
    contributions : callable
        From P(speech) and class of each clip to the contribution of each; more is better.
    sign : int
        -1 where people know the figure as a loss, of which less is better.
    """

    contributions: Callable[[Floats, Bools], Floats]
    sign: int


def log_likelihood(p: Floats, speech: Bools) -> Floats:
    """Return the log-likelihood of each clip after Platt scaling learned on these very clips.

    A prompt that merely shifts or stretches all log-odds gains nothing by it. Two parameters are
    fitted to a hundred clips or more, for the baseline as for every candidate.
    """
    slope, intercept = fit_platt(p, speech)
    x = slope * logit(p) + intercept
    return np.asarray(speech * x - np.logaddexp(0, x))


def right_decisions(p: Floats, speech: Bools) -> Floats:
    """Return 1 for each clip that is decided rightly by the threshold that suits these clips best.

    The threshold maximises balanced accuracy, as that of a detector does on dev.
    """
    thresholds, hit, false_alarm = operating_points(p, speech)
    best = np.flatnonzero(np.isclose(hit - false_alarm, (hit - false_alarm).max(), atol=1e-12))
    decided = p >= thresholds[best[len(best) // 2]]
    return np.asarray(decided == speech, dtype=np.float64)


def rank_wins(p: Floats, speech: Bools) -> Floats:
    """Return the contribution of each clip to the area under the ROC curve.

    V being the share of the other class that a clip is ranked rightly against (ties count half),
    the AUC is the mean of V in either class, and its variance that of the sum of both means (DeLong
    et al. 1988, doi:10.2307/2531595). 2 V - AUC has the AUC for its mean of means, and that
    variance.
    """
    ranks = rankdata(p)
    won = np.empty(len(p))
    for label, other in ((True, False), (False, True)):
        own = speech == label
        below = ranks[own] - rankdata(p[own])  # clips of the other class that score less
        share = below / np.count_nonzero(speech == other)
        won[own] = share if label else 1 - share
    return np.asarray(2 * won - won[speech].mean())


OBJECTIVES = {
    "log_loss": Objective(log_likelihood, -1),
    "auc": Objective(rank_wins, 1),
    "balanced_accuracy": Objective(right_decisions, 1),
}
"""Objectives by name."""
