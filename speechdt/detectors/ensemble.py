"""Scores of an ensemble, from the scores of its members."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from speechdt.statistics.calibration import Calibration, logit

Floats = NDArray[np.float64]


def mean(p_speech: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Return P(speech) at the mean of the runs' log-odds.

    Parameters
    ----------
    p_speech : array_like, (runs, clips)
    weights : array_like, (runs,)
        From :func:`matrix.ensemble_weights`; None: all alike.

    Returns
    -------
    float array, (clips,)
    """
    return np.asarray(expit(_average(logit(p_speech), weights)))


def vote(
    p_speech: ArrayLike, calibrations: Sequence[Calibration], weights: ArrayLike | None = None
) -> Floats:
    """Return the share of the votes for SPEECH, each run having its own threshold from dev.

    Parameters
    ----------
    p_speech : array_like, (runs, clips)
    calibrations : sequence of Calibration
        One of each run.
    weights : array_like, (runs,)
        As for :func:`mean`.

    Returns
    -------
    float array, (clips,)
    """
    decided = [
        calibration.decide(scores)
        for calibration, scores in zip(calibrations, np.asarray(p_speech), strict=True)
    ]
    return _average(np.asarray(decided, dtype=np.float64), weights)


def _average(runs: Floats, weights: ArrayLike | None) -> Floats:
    shares = None if weights is None else np.asarray(weights, dtype=np.float64)
    return np.asarray(np.average(runs, axis=0, weights=shares))
