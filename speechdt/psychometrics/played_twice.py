"""Thresholds along duration of variants that hear speech twice.

Behind a mirrored lead-in a clip is heard forwards and backwards: twice as much speech as its
duration says. What it takes to be heard along duration is then another question, and no threshold.
"""

import numpy as np
import pandas as pd

from speechdt.psychometrics.steadied import PROPORTIONS

REASON = "heard twice: a mirrored lead-in"


def without_duration(table: pd.DataFrame, heard_twice: bool) -> pd.DataFrame:
    """Return thresholds with those along duration undefined where clips are heard twice.

    Parameters
    ----------
    table : DataFrame
        From `thresholds.thresholds`.
    heard_twice : bool

    Returns
    -------
    DataFrame
        With the column reason: why a threshold is undefined that a curve would have; '' otherwise.
    """
    table = table.assign(reason="")
    if not heard_twice:
        return table
    along = table["dimension"] == "duration"
    table.loc[along, "reason"] = REASON
    for name in PROPORTIONS:
        numbers = [column for column in (name, f"{name}_low", f"{name}_high") if column in table]
        table.loc[along, numbers] = np.nan
        table.loc[along, f"{name}_censored"] = "undefined"
    return table
