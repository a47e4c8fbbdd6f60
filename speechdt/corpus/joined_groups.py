"""Groups that share audio, joined before the split: one library may be in several corpora."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from speechdt.corpus import labels
from speechdt.errors import SpeechdtError

JOIN, STOP = "join", "stop"
"""What `near_duplicates` may say: join the groups, or stop the run."""
APART = ("group_id", "label")
"""Columns in one of which the recordings of a pair differ; others of one group may be alike."""
NAMES = ("one", "other", "group_id", "other_group_id", "label", "other_label")
"""Columns of text in the table of pairs."""
COLUMNS = [*NAMES, "shift_ms", "votes", "alike"]
"""Of the table of pairs."""
MOST_NAMED = 10
"""Pairs that an error names."""


class NearDuplicates(SpeechdtError):
    """Groups share audio, and the run is to stop; the message is one line that names the pairs."""


class Joined(NamedTuple):
    """Recordings with joined groups.

    Attributes
    ----------
    sources : DataFrame
        With ``group_id`` as it is from here on.
    pairs, groups : int
        Pairs of recordings that share audio, and groups that became fewer.
    into : int
        Groups that these became.
    """

    sources: pd.DataFrame
    pairs: int
    groups: int
    into: int


def joined(sources: pd.DataFrame, duplicates: pd.DataFrame, how: str = JOIN) -> Joined:
    """Join the groups of recordings that are nearly the same audio.

    Joined groups have the name of the first of them.

    Parameters
    ----------
    sources : DataFrame
        source_id, group_id, label of those that are used.
    duplicates : DataFrame
        From `near_duplicates.find`, apart by `APART`; pairs of which one is not used do not count.
    how : {"join", "stop"}

    Raises
    ------
    labels.TwoLabels
        If recordings of a pair have different labels.
    NearDuplicates
        If there are any, and `how` is to stop.
    """
    used = set(sources["source_id"])
    pairs = duplicates[duplicates["one"].isin(used) & duplicates["other"].isin(used)]
    contradictory = pairs[pairs["label"] != pairs["other_label"]]
    named = contradictory[["one", "label", "other", "other_label"]]
    labels.refuse(named.itertuples(index=False, name=None))
    if how == STOP and len(pairs):
        raise NearDuplicates(_refusal(pairs))
    if pairs.empty:
        return Joined(sources, 0, 0, 0)
    first = _first(list(zip(pairs["group_id"], pairs["other_group_id"], strict=True)))
    groups = sources["group_id"].map(first).fillna(sources["group_id"])
    return Joined(sources.assign(group_id=groups), len(pairs), len(first), len({*first.values()}))


def _first(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return of each group in any pair the first of those that pairs connect it with."""
    leader: dict[str, str] = {}

    def lead(group: str) -> str:
        while leader.setdefault(group, group) != group:
            leader[group] = leader[leader[group]]
            group = leader[group]
        return group

    for one, other in pairs:
        first, last = sorted((lead(one), lead(other)))
        leader[last] = first
    return {group: lead(group) for group in sorted(leader)}


def _refusal(pairs: pd.DataFrame) -> str:
    shown = [
        f"{pair.one} and {pair.other} ({pair.alike:.2f})"
        for pair in pairs.head(MOST_NAMED).itertuples()
    ]
    more = f"; and {len(pairs) - MOST_NAMED} more" if len(pairs) > MOST_NAMED else ""
    return (
        f"{len(pairs)} pairs of recordings in different groups are nearly the same audio: "
        f"{'; '.join(shown)}{more}; corpus/near_duplicates.csv has all: give both one group_id, "
        "name one in a file under exclude, or say near_duplicates: join"
    )
