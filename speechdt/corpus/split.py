"""Split of the sources into train, dev and test, by whole groups."""

from collections.abc import Mapping, Sequence

import pandas as pd

from speechdt import seeds
from speechdt.audio.activity import crop_starts, from_runs
from speechdt.corpus.unseen import unseen_origins

MOST_OF_THE_LONG = 0.3


def assign(
    index: pd.DataFrame,
    durations_ms: Sequence[int],
    *,
    seed: int,
    held_out: float = 0.2,
    least_active: float = 0.7,
    unseen: float | Sequence[str] = 0.0,
) -> pd.DataFrame:
    """Assign a split to every source.

    Groups of each category are put in a random order. Dev and test take `held_out` of them each,
    out of those with a source that is long enough for every duration (no other could serve
    there), but never more than about 30 % of these, so that train keeps long ones too. All others
    are train's. A category with one such group serves test alone, with two dev and test. Groups of
    unseen origins are in test, and the first to be.

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
    unseen : float or sequence of str
        What part of test's groups may be of origins that stand in no other split, or these origins
        (see `unseen.unseen_origins`).

    Returns
    -------
    DataFrame
        `index` with the columns ``full_length`` (bool), ``split`` and ``unseen`` (bool: of an
        origin that is in test alone).

    Raises
    ------
    CorpusError
        If an unseen origin that is named does not exist.
    """
    sources = index.copy()
    sources["full_length"] = [
        len(crop_starts(from_runs(runs), durations_ms, least_active)) > 0
        for runs in sources["active"]
    ]
    groups = sources.groupby("group_id").agg(
        category=("category", lambda values: values.mode().iloc[0]), long=("full_length", "any")
    )
    sizes = {
        str(category): _size(members, held_out) for category, members in groups.groupby("category")
    }
    apart = unseen_origins(sources, sizes, seed=seed, share=unseen)
    sources["unseen"] = sources["origin"].isin(apart)
    groups["unseen"] = groups.index.isin(sources.loc[sources["unseen"], "group_id"])
    sources["split"] = sources["group_id"].map(_split_of(groups, sizes, seed))
    return sources


def _split_of(groups: pd.DataFrame, sizes: Mapping[str, int], seed: int) -> pd.Series:
    """Return the split of each group; `groups` has category, long and unseen."""
    split = pd.Series("train", index=groups.index)
    for category, members in groups.groupby("category"):
        ordered = sorted(members.index, key=lambda group: seeds.rank(seed, "split", group))
        able = [group for group in ordered if members.loc[group, "long"]]
        free = [group for group in able if not members.loc[group, "unseen"]]
        size = sizes[str(category)]
        rest = max(size - (len(able) - len(free)), 0)
        split[free[:rest]] = "test"
        split[free[rest : rest + size]] = "dev"
    split[groups["unseen"]] = "test"
    return split


def _size(members: pd.DataFrame, held_out: float) -> int:
    """Return how many groups of a category dev and test have each."""
    size = min(round(held_out * len(members)), round(MOST_OF_THE_LONG * members["long"].sum()))
    return max(size, 1)
