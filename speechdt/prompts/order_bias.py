"""Order bias: effect of the order of a question's options on a language model's answer."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def order_bias(log_odds: ArrayLike, speech: ArrayLike) -> dict[str, Any]:
    """Compare a prompt with the same prompt whose options have changed places.

    Parameters
    ----------
    log_odds : array_like, (2, clips)
        Log-odds of SPEECH, with the options as they are and exchanged.
    speech : array_like of bool, (clips,)

    Returns
    -------
    dict
        clips; bias: half the mean difference of the log-odds, by which the first order favours
        SPEECH; bias_sd: its standard deviation over clips; flipped: share of clips whose answer
        changes; auc and balanced_accuracy (answers as they are) of each order, ``_exchanged`` for
        the second.
    """
    # Where it is used: jobs that only read what is kept need not wait for it.
    from sklearn.metrics import roc_auc_score

    z, y = np.asarray(log_odds, dtype=np.float64), np.asarray(speech, dtype=bool)
    half = (z[0] - z[1]) / 2
    bias = {
        "clips": len(y),
        "bias": float(half.mean()),
        "bias_sd": float(half.std()),
        "flipped": float(np.mean((z[0] >= 0) != (z[1] >= 0))),
    }
    for order, suffix in zip(z, ("", "_exchanged"), strict=True):
        bias[f"auc{suffix}"] = float(roc_auc_score(y, order))
        rates = [(order[y] >= 0).mean(), (order[~y] < 0).mean()]
        bias[f"balanced_accuracy{suffix}"] = float(np.mean(rates))
    return bias
