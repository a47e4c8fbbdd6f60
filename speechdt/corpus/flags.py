"""Flags of hygiene checks, joined to trials at the analysis.

They are no part of the trials: another check, or an edit of its detector, touches what is reported
with and without flagged trials, never what is rendered or scored.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd


def read_flagged(files: Sequence[Path | str]) -> set[str]:
    """Return the source_id of every flagged recording.

    Parameters
    ----------
    files : sequence of paths
        ``corpus/flags.parquet`` (source_id, flagged), or none.
    """
    flagged: set[str] = set()
    for file in files:
        flags = pd.read_parquet(file, columns=["source_id", "flagged"])
        flagged |= set(flags.loc[flags["flagged"], "source_id"])
    return flagged


def involving(trials: pd.DataFrame, recordings: set[str]) -> pd.Series:
    """Say in which trials one of some recordings is played, as target or as background.

    Parameters
    ----------
    trials : DataFrame
        source_id, background_id.
    recordings : set of str
        Their source_id, for example from :func:`read_flagged`.

    Returns
    -------
    Series of bool
        In the order of `trials`.
    """
    return trials["source_id"].isin(recordings) | trials["background_id"].isin(recordings)
