"""Scores of an ensemble, from the scores of its members."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from speechdt.calibration import Calibration, logit

Floats = NDArray[np.float64]


def mean(p_speech: ArrayLike) -> Floats:
    """Return P(speech) at the mean of the members' log-odds.

    Parameters
    ----------
    p_speech : array_like, (members, clips)

    Returns
    -------
    float array, (clips,)
    """
    return np.asarray(expit(logit(p_speech).mean(axis=0)))


def vote(p_speech: ArrayLike, calibrations: Sequence[Calibration]) -> Floats:
    """Return the share of the members that decide SPEECH, each with its own threshold from dev.

    Parameters
    ----------
    p_speech : array_like, (members, clips)
    calibrations : sequence of Calibration
        One of each member.

    Returns
    -------
    float array, (clips,)
    """
    decided = [
        calibration.decide(scores)
        for calibration, scores in zip(calibrations, np.asarray(p_speech), strict=True)
    ]
    return np.asarray(np.mean(decided, axis=0))
