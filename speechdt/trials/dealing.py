"""Dealing of sources and crops to items: group by group, or in fair shares."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from speechdt import seeds
from speechdt.audio.activity import FRAME, crop_starts, from_runs


class Deck:
    """Deals sources so that every group gets its turn before any gets another.

    Parameters
    ----------
    sources : DataFrame
        The sources to deal.
    durations_ms : sequence of int
        Nested durations that a crop must fill, in ms.
    least_active : float
        Least active share of a crop at each duration.
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
        self._durations_ms, self._least_active = durations_ms, least_active
        self._groups: dict[str, Iterator[Any]] = {}
        for group, members in _by_group(sources):
            if turns := _turns(members, durations_ms, least_active, self._rng):
                self._groups[group] = turns
        self._waiting: list[str] = []

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self._groups)

    def deal(self, rng: np.random.Generator, other_than: str = "") -> tuple[dict[str, Any], int]:
        """Return the next source, and the sample at which a random crop of it starts.

        Parameters
        ----------
        rng : Generator
            Draws the crop.
        other_than : str
            Group to pass over (it keeps its turn).
        """
        if set(self._waiting) <= {other_than}:
            self._waiting += self._rng.permutation(list(self._groups)).tolist()
        turn = next(i for i, group in enumerate(self._waiting) if group != other_than)
        source: dict[str, Any] = next(self._groups[self._waiting.pop(turn)])
        return source, _start(source, self._durations_ms, self._least_active, rng)


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
        for place, (_, members) in enumerate(_by_group(sources)):
            for ms in durations_ms:
                if turns := _turns(members, [ms], least_active, self._rng):
                    self._serves[ms][place] = True
                    self._turns[ms, place] = turns
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
        return source, _start(source, [duration_ms], self._least_active, rng)


def _by_group(sources: pd.DataFrame) -> Iterator[tuple[str, list[dict[Any, Any]]]]:
    """Yield the groups in the order of their names, with their sources."""
    rows = sources.to_dict("records")  # all at once: a frame for each group takes ten times as long
    for group, places in sorted(sources.groupby("group_id").indices.items()):
        yield str(group), [rows[place] for place in places]


def _turns(
    members: list[dict[Any, Any]],
    durations_ms: Sequence[int],
    least_active: float,
    rng: np.random.Generator,
) -> Iterator[Any] | None:
    """Return the sources of a group that fill a crop, in a random order again and again, if any."""
    croppable = [row for row in members if len(_starts(row, durations_ms, least_active))]
    rng.shuffle(croppable)
    return cycle(croppable) if croppable else None


def _start(
    source: Mapping[Any, Any],
    durations_ms: Sequence[int],
    least_active: float,
    rng: np.random.Generator,
) -> int:
    """Draw the sample at which a crop of a source starts."""
    return int(rng.choice(_starts(source, durations_ms, least_active))) * FRAME


def _starts(
    source: Mapping[Any, Any], durations_ms: Sequence[int], least_active: float
) -> NDArray[np.int64]:
    # Found anew each time, for the memory that those of all sources would take.
    return crop_starts(from_runs(source["active"]), durations_ms, least_active)
