"""Deal the clips of train so that every group gets its fair share, over all durations together."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations, cycle
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from speechdt import seeds
from speechdt.activity import FRAME, crop_starts, from_runs


class FairDeck:
    """Deals sources of one category: the group that was dealt least comes next.

    Some groups have only short recordings. They take more of the short clips, and the others more
    of the long ones, so that all end with the same number as far as the durations allow. What is
    dealt depends on what was dealt before alone: a smaller set is the beginning of a larger one.

    Parameters
    ----------
    sources : DataFrame
        The sources to deal.
    durations_ms : sequence of int
        Durations of the clips, in ms.
    least_active : float
        Least active share of a crop.
    seed : int
    name : str
        What the deck is for; decks of other names deal in another order.
    """

    def __init__(
        self,
        sources: pd.DataFrame,
        durations_ms: Sequence[int],
        least_active: float,
        seed: int,
        name: str,
    ):
        self._rng = seeds.generator(seed, "deck", name)
        self._groups = sorted(map(str, sources["group_id"].unique()))
        self._dealt = np.zeros(len(self._groups), dtype=np.int64)
        self._serves = {ms: np.zeros(len(self._groups), dtype=bool) for ms in durations_ms}
        self._least_active = least_active
        self._turns: dict[tuple[int, int], Iterator[Any]] = {}
        for place, (_, members) in enumerate(sources.groupby("group_id", sort=True)):
            rows = members.to_dict("records")
            for ms in durations_ms:
                croppable = [row for row in rows if len(self._starts(row, ms))]
                if croppable:
                    self._rng.shuffle(croppable)
                    self._serves[ms][place] = True
                    self._turns[ms, place] = cycle(croppable)
        self._width = np.sum(list(self._serves.values()), axis=0)

    def groups(self, duration_ms: int) -> int:
        """Return how many groups can serve a duration."""
        return int(self._serves[duration_ms].sum())

    def deal(self, rng: np.random.Generator, duration_ms: int) -> tuple[dict[str, Any], int]:
        """Return the next source, and the sample at which a random crop of it starts.

        Parameters
        ----------
        rng : Generator
            Draws the crop.
        duration_ms : int
            Length of the crop in ms.
        """
        able = np.flatnonzero(self._serves[duration_ms])
        able = able[self._dealt[able] == self._dealt[able].min()]
        # Those that can serve little else first: the others are needed for the long clips.
        able = able[self._width[able] == self._width[able].min()]
        place = int(self._rng.choice(able))
        self._dealt[place] += 1
        source: dict[str, Any] = next(self._turns[duration_ms, place])
        return source, int(rng.choice(self._starts(source, duration_ms))) * FRAME

    def _starts(self, source: Mapping[Any, Any], duration_ms: int) -> NDArray[np.int64]:
        # Found anew each time, for the memory that those of all sources would take.
        return crop_starts(from_runs(source["active"]), [duration_ms], self._least_active)


def able_groups(
    sources: pd.DataFrame, durations_ms: Sequence[int], least_active: float
) -> dict[int, set[str]]:
    """Return the groups that can serve each duration; parameters as for :class:`FairDeck`."""
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
