"""Spread of the scores of each class: shares of its trials by P(speech)."""

import numpy as np
import pandas as pd

from speechdt.statistics.metrics import by_run

BINS = 25
"""Of equal width, from 0 to 1."""
COLUMNS = ["label", "p_low", "p_high", "share"]


def score_shares(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the share of each class's trials in each bin of raw P(speech).

    Parameters
    ----------
    trials : DataFrame
        In noise: speech (bool), p_speech; and run, where a variant was trained several times: all
        runs count alike.

    Returns
    -------
    DataFrame
        label (SPEECH, NONSPEECH), p_low and p_high (edges of the bin), share; all bins, also empty
        ones.
    """
    edges = np.linspace(0, 1, BINS + 1)
    whole = pd.concat(by_run(trials))
    tables = []
    for label, speech in (("SPEECH", True), ("NONSPEECH", False)):
        p = whole.loc[whole["speech"].to_numpy(bool) == speech, "p_speech"].to_numpy(float)
        if len(p):
            share = np.histogram(p, edges)[0] / len(p)
            columns = {"label": label, "p_low": edges[:-1], "p_high": edges[1:], "share": share}
            tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)[COLUMNS]
