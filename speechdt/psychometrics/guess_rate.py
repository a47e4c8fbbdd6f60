"""Guess rate: SPEECH decisions on catch trials (background alone)."""

import numpy as np
import pandas as pd

from speechdt.arrays import Floats
from speechdt.statistics import bootstrap


def catch_rate(catch: pd.DataFrame, decision: str, replicates: int, seed: int) -> Floats:
    """Return the rate of SPEECH decisions on catch trials, a fixed guess rate of curves.

    Parameters
    ----------
    catch : DataFrame
        Catch trials of one training run: group_id and the column of decisions.
    decision : str
        That column: decided or decided_far10.
    replicates, seed : int
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
    codes, names = pd.factorize(catch["group_id"], sort=True)
    # SPEECH has the seed itself, NONSPEECH seed + 1: each is drawn by itself.
    weights = bootstrap.weights(np.ones(len(names)), replicates, seed + 2)
    yes = np.bincount(codes, catch[decision], len(names))
    asked = np.bincount(codes, minlength=len(names))
    return np.asarray((weights @ yes) / (weights @ asked))
