"""Warnings where few groups stand for a class in a split, and how many more would help."""

import math
from collections.abc import Mapping

import pandas as pd
from scipy.special import stdtrit

from speechdt.corpus.sources import CATEGORIES

FEWEST = 10
"""Groups of a class in a split below which its intervals are too wide to settle much."""


def warnings(sources: pd.DataFrame, items: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return a sentence for each class of a split that few groups stand for.

    Parameters
    ----------
    sources : DataFrame
        ``corpus/sources.parquet``: label, group_id, split.
    items : mapping of str to DataFrame
        ``trials/{split}/items.parquet`` of the splits that are looked at; where they name their
        groups, these are counted, else those of the recordings.
    """
    lines = []
    for split, of_split in items.items():
        grouped = {"label", "group_id"} <= set(of_split)
        table = of_split if grouped else sources[sources["split"] == split]
        for label in CATEGORIES:
            groups = int(table.loc[table["label"] == label, "group_id"].nunique())
            if 0 < groups < FEWEST:
                lines.append(_sentence(split, label, groups))
    return lines


def _sentence(split: str, label: str, groups: int) -> str:
    name = f"{groups} group{'' if groups == 1 else 's'}"
    start = f"{split} has {name} of {label} (speakers or families of recordings)"
    if groups == 1:
        return f"{start}: that is too few for any interval; {FEWEST} are a beginning."
    return f"{start}, so intervals are wide; {halving(groups)} groups would halve them."


def halving(groups: int) -> int:
    """Return how many groups make an interval half as wide as `groups` do, other things equal.

    The width goes with Student's t of so many groups, over the square root of their number.

    Parameters
    ----------
    groups : int
        Two or more.
    """
    wanted = _width(groups) / 2
    more = groups
    while _width(more) > wanted:
        more += 1
    return more


def _width(groups: int) -> float:
    return float(stdtrit(groups - 1, 0.975)) / math.sqrt(groups)
