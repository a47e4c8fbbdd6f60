"""What a fair share of train is, where some groups can serve the short clips alone."""

from collections.abc import Mapping, Sequence
from itertools import chain, combinations

import pandas as pd

from speechdt.activity import crop_starts, from_runs


def able_groups(
    sources: pd.DataFrame, durations_ms: Sequence[int], least_active: float
) -> dict[int, set[str]]:
    """Return the groups that can serve each duration; parameters as for :class:`decks.FairDeck`."""
    able: dict[int, set[str]] = {ms: set() for ms in durations_ms}
    for group, runs in zip(sources["group_id"], sources["active"], strict=True):
        active = from_runs(runs)
        for ms in durations_ms:
            if group not in able[ms] and len(crop_starts(active, [ms], least_active)):
                able[ms].add(group)
    return able


def fair_share(clips: Mapping[int, int], able: Mapping[int, set[str]]) -> float:
    """Return what the most burdened group holds if clips are dealt as evenly as can be.

    That is clips over groups, unless few groups can serve some of the durations: the largest ratio,
    over all sets of durations, of their clips to the groups that can serve any of them (Hall's
    condition, in the fractional form of the max-flow min-cut theorem).

    Parameters
    ----------
    clips : mapping of int to int
        Clips of each duration, in ms.
    able : mapping of int to set
        Groups that can serve each, from :func:`able_groups`.
    """
    asked = [ms for ms in clips if clips[ms]]
    sets = chain.from_iterable(combinations(asked, size) for size in range(1, len(asked) + 1))
    return max(
        sum(clips[ms] for ms in together) / max(len(set().union(*(able[ms] for ms in together))), 1)
        for together in sets
    )
