"""Balance of the train set at every size it grows through."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain, combinations
from math import ceil
from typing import Any

import pandas as pd

from speechdt.audio.activity import crop_starts, from_runs
from speechdt.errors import SpeechdtError

Able = Mapping[int, set[str]]
"""Groups of a category that can serve each duration."""
OVER_FAIR = 0.2
"""A group may hold so much more than its fair share."""
CELL = ["label", "snr_db", "duration_ms"]
SIZE = (
    "clips",
    *("smallest_cell", "largest_cell", "largest_gap_of_categories"),
    *("groups", "largest_over_fair", "sources", "repeated_crops"),
)
"""Columns of the table."""


class Unbalanced(SpeechdtError):
    """The train set is not what it should be; the message says at which size, and where."""


def check(
    items: pd.DataFrame, sources: pd.DataFrame, least_active: float, sizes: Sequence[int]
) -> pd.DataFrame:
    """Check the beginnings of the train set in order of size.

    Each is the beginning of the next, so that a later one can only add. In each, the class cells
    (SNR x duration x label) are equal to ± 1, the categories within a class cell too, and no group
    holds more than its fair share of its category (`fair.fair_share`) + 20 %, in whole clips.

    Parameters
    ----------
    items : DataFrame
        From `items.uncrossed`.
    sources : DataFrame
        From `split.assign`.
    least_active : float
        Least active share of a crop.
    sizes : sequence of int
        Numbers of clips; those beyond the train set are passed over, the whole set is checked last.

    Returns
    -------
    DataFrame
        Columns `SIZE`, a row a size: clips in the smallest and largest class cell, the largest
        difference between two categories of a class cell, groups, the largest share of a group over
        its fair share, distinct sources, and crops that occur twice.

    Raises
    ------
    Unbalanced
        At the first size that fails.
    """
    ordered = sorted({size for size in sizes if size < len(items)} | {len(items)})
    _check_names(items)
    train = sources[sources["split"] == "train"]
    durations = sorted(items["duration_ms"].unique())
    able = {
        str(category): able_groups(members, durations, least_active)
        for category, members in train.groupby("category")
    }
    rows = [_checked(items.head(size), able) for size in ordered]
    return pd.DataFrame(rows, columns=list(SIZE))


def _check_names(items: pd.DataFrame) -> None:
    """Check that items are numbered in their order: those that train take the first ones."""
    numbers = items["item_id"].str.rpartition("-")[2].astype(int)
    if numbers.tolist() != list(range(len(items))):
        raise Unbalanced("train: the items are not numbered in their order")


def _checked(items: pd.DataFrame, able: Mapping[str, Able]) -> dict[str, Any]:
    size = len(items)
    cells = items.groupby(CELL).size()
    gap = max(_gap(part) for _, part in items.groupby("label"))
    shares = [_over_fair(part, able[str(name)]) for name, part in items.groupby("category")]
    if cells.max() - cells.min() > 1:
        raise Unbalanced(f"train, {size} clips: class cells hold {cells.min()} to {cells.max()}")
    if gap > 1:
        raise Unbalanced(f"train, {size} clips: categories of a class cell differ by {gap}")
    for _, group, held, most in shares:
        if held > most:
            raise Unbalanced(
                f"train, {size} clips: group {group} holds {held}, at most {most} are its fair "
                f"share + {OVER_FAIR:.0%}; lower trials.train_clips or add groups"
            )
    crops = items.duplicated(["source_id", "start", "duration_ms"]).sum()
    return dict(
        zip(
            SIZE,
            (size, cells.min(), cells.max(), gap, items["group_id"].nunique(), max(shares)[0],
             items["source_id"].nunique(), crops),
            strict=True,
        )
    )  # fmt: skip


def _gap(members: pd.DataFrame) -> int:
    """Return the largest difference between two categories of a class in any of its cells."""
    counts = pd.crosstab([members["snr_db"], members["duration_ms"]], members["category"])
    return int((counts.max(axis=1) - counts.min(axis=1)).max())


def _over_fair(part: pd.DataFrame, able: Able) -> tuple[float, str, int, int]:
    """Return the largest share of a group over the fair one; the group, its clips, and the most."""
    clips = Counter(map(int, part["duration_ms"]))
    fair = fair_share(clips, able)
    counts = part["group_id"].value_counts()
    held = int(counts.iloc[0])
    most = ceil(fair * (1 + OVER_FAIR))
    return round(held / max(fair, 1.0) - 1, 3), str(counts.index[0]), held, most


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
