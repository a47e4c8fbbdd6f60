"""Hygiene flags: NONSPEECH recordings with speech in them, SPEECH recordings with too little.

A check is a detector and two thresholds. It flags recordings; only if asked does it remove them,
because labels that a rival has chosen make that rival look good.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd


class Thresholds(NamedTuple):
    """From where a recording is flagged.

    Attributes
    ----------
    nonspeech_above : float
        NONSPEECH is flagged if its P(speech) lies above it.
    speech_below : float
        SPEECH is flagged if its P(speech) lies below it.
    """

    nonspeech_above: float
    speech_below: float


def flag(index: pd.DataFrame, scores: pd.DataFrame, thresholds: Thresholds) -> pd.Series:
    """Say which recordings a check flags.

    Parameters
    ----------
    index : DataFrame
        source_id, label.
    scores : DataFrame
        From :func:`measure`.
    thresholds : Thresholds

    Returns
    -------
    Series of bool
        In the order of `index`.
    """
    p_speech = index["source_id"].map(scores.set_index("source_id")["p_speech"])
    speech = index["label"] == "SPEECH"
    flagged = np.where(
        speech, p_speech < thresholds.speech_below, p_speech > thresholds.nonspeech_above
    )
    return pd.Series(flagged, index=index.index, dtype=bool)


def count(
    index: pd.DataFrame,
    scores: Mapping[str, pd.DataFrame],
    thresholds: Mapping[str, Thresholds],
) -> pd.DataFrame:
    """Count what each check would remove of each category.

    Parameters
    ----------
    index : DataFrame
        source_id, label, category, group_id.
    scores, thresholds : mappings
        Of each check, by name.

    Returns
    -------
    DataFrame
        check, label, category, recordings, flagged, share (of the recordings), groups, groups_left
        (with a recording that is not flagged), p_median, threshold.
    """
    rows = []
    for check, measured in scores.items():
        own = index.assign(
            flagged=flag(index, measured, thresholds[check]),
            p_speech=index["source_id"].map(measured.set_index("source_id")["p_speech"]),
        )
        for (label, category), part in own.groupby(["label", "category"], sort=False):
            above, below = thresholds[check]
            rows.append(
                {
                    "check": check,
                    "label": label,
                    "category": category,
                    "recordings": len(part),
                    "flagged": int(part["flagged"].sum()),
                    "share": float(part["flagged"].mean()),
                    "groups": part["group_id"].nunique(),
                    "groups_left": part.loc[~part["flagged"], "group_id"].nunique(),
                    "p_median": float(part["p_speech"].median()),
                    "threshold": below if label == "SPEECH" else above,
                }
            )
    return pd.DataFrame(rows)
