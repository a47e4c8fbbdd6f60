"""Shortages of a corpus, with their cause: too few groups, or too little that is active."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from speechdt.corpus.sources import CATEGORIES
from speechdt.errors import SpeechdtError

FRAME_S = 0.01
"""Seconds of a frame of activity."""
FEWEST = 2
"""Groups that a split needs of each class, for an interval over groups."""
SPLITS = ("dev", "test")


class Shortage(SpeechdtError):
    """A corpus lacks what dev and test need; the message is one line that says why."""


def check(
    sources: pd.DataFrame, durations_ms: Sequence[int], clean_ms: int, categories: Sequence[str]
) -> None:
    """Refuse a corpus of which a category cannot serve both dev and test.

    Parameters
    ----------
    sources : DataFrame
        From `split.assign`: source_id, label, category, group_id, active, full_length.
    durations_ms : sequence of int
        Durations of the clips.
    clean_ms : int
        That of clean ones.
    categories : sequence of str
        Of NONSPEECH, those that are to be there. One that is not is another's to name.

    Raises
    ------
    Shortage
        If a category has no recording that is active for the longest clip, or all such recordings
        are in one group.
    """
    for label, of_label in CATEGORIES.items():
        for category in of_label:
            part = sources[sources["category"] == category]
            if part.empty or (label == "NONSPEECH" and category not in categories):
                continue
            able = part[part["full_length"]]
            if able.empty:
                raise Shortage(_too_brief(part, label, category, durations_ms, clean_ms))
            if able["group_id"].nunique() == 1:
                raise Shortage(_one_group(part, able, label, category))


def _too_brief(
    part: pd.DataFrame, label: str, category: str, durations_ms: Sequence[int], clean_ms: int
) -> str:
    longest_ms = max(*durations_ms, clean_ms)
    key = f"grid.clean_ms is {clean_ms}"
    if longest_ms > clean_ms:
        key = f"the longest of grid.duration_ms is {longest_ms}"
    stretches = [_longest_run(runs) for runs in part["active"]]
    longest = int(np.argmax(stretches))
    name = part["source_id"].iloc[longest]
    return (
        f"no recording of {label} '{category}' is active for {longest_ms} ms: the longest active "
        f"stretch is {stretches[longest] * FRAME_S:.1f} s ({name}); {key}"
    )


def _longest_run(runs: Sequence[int]) -> int:
    return int(np.max(np.asarray(runs)[1::2], initial=0))


def _one_group(part: pd.DataFrame, able: pd.DataFrame, label: str, category: str) -> str:
    group = able["group_id"].iloc[0]
    named = f"{label} '{category}'"
    if part["group_id"].nunique() == 1:
        cause = f"all {len(part):,} recordings of {named} are in group {group}"
    else:
        cause = f"all {len(able):,} recordings of {named} that are long enough are in group {group}"
    below = "speech/<speaker>/…" if label == "SPEECH" else f"nonspeech/{category}/<recording>/…"
    return (
        f"{cause}, and no group may be in two splits: name speakers or recordings by the first "
        f"folder ({below}) or by group_id in a manifest"
    )


def notes(sources: pd.DataFrame, held_out: float) -> list[str]:
    """Return a line for each class and split without the two groups that an interval needs.

    Parameters
    ----------
    sources : DataFrame
        label, group_id, split.
    held_out : float
        Share of the groups that dev takes, and test.
    """
    lines = []
    for label in CATEGORIES:
        part = sources[sources["label"] == label]
        for split in SPLITS:
            count = part.loc[part["split"] == split, "group_id"].nunique()
            every = part["group_id"].nunique()
            if count < FEWEST:
                lines.append(
                    f"{split} has {count} of {every} groups of {label}, and an interval needs "
                    f"{FEWEST}: more groups, or a larger trials.held_out ({held_out:g})"
                )
    return lines
