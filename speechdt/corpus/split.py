"""Split of the sources into train, dev and test, by whole groups."""

from collections.abc import Sequence

import pandas as pd

from speechdt import seeds
from speechdt.audio.activity import crop_starts, from_runs

MOST_OF_THE_LONG = 0.3


def assign(
    index: pd.DataFrame,
    durations_ms: Sequence[int],
    *,
    seed: int,
    held_out: float = 0.2,
    least_active: float = 0.7,
) -> pd.DataFrame:
    """Assign a split to every source.

    Groups of each category are put in a random order. Dev and test take `held_out` of them each,
    out of those with a source that is long enough for every duration (no other could serve
    there), but never more than about 30 % of these, so that train keeps long ones too. All others
    are train's. A category with one such group serves test alone, with two dev and test.

    Parameters
    ----------
    index : DataFrame
        Usable sources, from `corpora.index`.
    durations_ms : sequence of int
        Nested durations in ms that an item of dev or test must fill.
    seed : int
        Seed of the order.
    held_out : float
        Share of the groups for dev, and for test.
    least_active : float
        Least active share of a crop at each duration.

    Returns
    -------
    DataFrame
        `index` with the columns ``full_length`` (bool) and ``split``.
    """
    sources = index.copy()
    sources["full_length"] = [
        len(crop_starts(from_runs(runs), durations_ms, least_active)) > 0
        for runs in sources["active"]
    ]
    groups = sources.groupby("group_id").agg(
        category=("category", lambda values: values.mode().iloc[0]), long=("full_length", "any")
    )
    split = pd.Series("train", index=groups.index)
    for _, members in groups.groupby("category"):
        ordered = sorted(members.index, key=lambda group: seeds.rank(seed, "split", group))
        able = [group for group in ordered if members.loc[group, "long"]]
        size = min(round(held_out * len(ordered)), round(MOST_OF_THE_LONG * len(able)))
        size = max(size, 1)
        split[able[:size]] = "test"
        split[able[size : 2 * size]] = "dev"
    sources["split"] = sources["group_id"].map(split)
    return sources
