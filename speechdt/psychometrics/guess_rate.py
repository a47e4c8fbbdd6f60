"""Guess rate: SPEECH decisions on catch trials (background alone)."""

import numpy as np
import pandas as pd

from speechdt.arrays import Floats
from speechdt.psychometrics.decided import Draws, yes
from speechdt.psychometrics.matched_hits import coded


def catch_rate(catch: pd.DataFrame, decision: str, draws: Draws) -> Floats:
    """Return the rate of SPEECH decisions on catch trials, a fixed guess rate of curves.

    Parameters
    ----------
    catch : DataFrame
        Catch trials of one training run: group_id and the column of decisions; p_speech, where
        these are made again in each replicate.
    decision : str
        That column: decided or decided_far10.
    draws : Draws
        Of the bootstrap that the curves have, too.

    Returns
    -------
    (replicates + 1,) array
        Row 0 as observed, the others resampled over the groups of catch trials.

    Raises
    ------
    ValueError
        If there is no catch trial.
    """
    if not len(catch):
        raise ValueError("a guess rate needs at least one catch trial")
    codes, groups = coded(catch)
    weights = draws.of_groups(groups, 2)
    alarms = np.asarray((weights * yes(catch, codes, groups, decision, draws)).sum(1))
    asked = weights @ np.bincount(codes, minlength=groups)
    return np.clip(alarms / asked, 0.0, 1.0)  # two weighted sums may differ by rounding alone
