"""Threshold sensitivity: balanced accuracy with the threshold moved, and at its best on test."""

import numpy as np
import pandas as pd

from speechdt.arrays import Floats
from speechdt.statistics import bootstrap
from speechdt.statistics.calibration import operating_points
from speechdt.statistics.criterion import NEVER

SHIFTS = (-0.10, -0.05, 0.0, 0.05, 0.10)
"""By how much more of dev's clips are called SPEECH."""


def sensitivity(
    dev: pd.DataFrame, test: pd.DataFrame, threshold: float, *, replicates: int, seed: int
) -> pd.DataFrame:
    """Measure balanced accuracy on test at thresholds around the one that dev chose.

    Parameters
    ----------
    dev, test : DataFrame
        Trials in noise: speech (bool), group_id, p_speech.
    threshold : float
        The one that was chosen on dev.
    replicates, seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        at (``-0.1`` … ``0.1``: the shift, or ``best`` on test, which nobody could have known),
        threshold, balanced_accuracy with ``_low`` and ``_high``, and change, the difference to the
        threshold itself, with ``_low`` and ``_high`` (paired).
    """
    scores = np.sort(dev["p_speech"].to_numpy(float))
    called = float((scores >= threshold).mean())
    places = {f"{shift:g}": _at_rate(scores, called + shift) for shift in SHIFTS}
    places["0"] = threshold
    p, speech = test["p_speech"].to_numpy(float), test["speech"].to_numpy(bool)
    candidates, hit, false_alarm = operating_points(p, speech)
    places["best"] = float(candidates[int(np.argmax(hit - false_alarm))])
    accuracy, groups = _accuracies(test, np.array(list(places.values())), replicates, seed)
    change = accuracy - accuracy[:, [list(places).index("0")]]
    low, high = bootstrap.interval(accuracy[0], accuracy[1:], groups)
    change_low, change_high = bootstrap.interval(change[0], change[1:], groups)
    return pd.DataFrame(
        {
            "at": list(places),
            "threshold": list(places.values()),
            "balanced_accuracy": accuracy[0],
            "balanced_accuracy_low": low,
            "balanced_accuracy_high": high,
            "change": change[0],
            "change_low": change_low,
            "change_high": change_high,
        }
    )


def _at_rate(scores: Floats, rate: float) -> float:
    """Return the threshold at which so large a share of ascending scores is SPEECH, or nearly."""
    place = round(len(scores) * (1 - rate))
    if place >= len(scores):
        return NEVER
    return float(scores[max(place, 0)])


def _accuracies(
    trials: pd.DataFrame, thresholds: Floats, replicates: int, seed: int
) -> tuple[Floats, list[int]]:
    """Return balanced accuracy, (replicates + 1, thresholds), and the groups of each class."""
    speech = trials["speech"].to_numpy(bool)
    decided = trials["p_speech"].to_numpy(float)[:, None] >= thresholds
    correct = (decided == speech[:, None]).astype(float)
    codes, of_speech, names = bootstrap.groups_by_class(speech, trials["group_id"])
    right = np.zeros((len(names), len(thresholds)))
    np.add.at(right, codes, correct)
    weights = bootstrap.weights(of_speech, replicates, seed)
    accuracy = bootstrap.balanced(weights, of_speech, right, np.bincount(codes))
    return accuracy, [int(of_speech.sum()), int((~of_speech).sum())]
