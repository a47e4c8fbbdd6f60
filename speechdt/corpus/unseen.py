"""Unseen origins: those that stand in test alone, so that nothing was learned from them."""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from speechdt import seeds
from speechdt.corpus.sources import CATEGORIES, CorpusError


def unseen_origins(
    sources: pd.DataFrame,
    test_groups: Mapping[str, int],
    *,
    seed: int,
    share: float | Sequence[str],
) -> list[str]:
    """Choose the origins that are kept out of train and dev.

    A detector that was trained here may know an origin by its sound, and its class with it; what
    it does on origins that it never met says whether it hears speech. Origins that hold both
    classes are gone through in a random order; one is taken as long as those taken have at most
    `share` of test's groups in every category, so that as much of test is of origins that
    training knows.

    Parameters
    ----------
    sources : DataFrame
        Usable sources: label, category, group_id, origin, full_length.
    test_groups : mapping of str to int
        How many groups of each category test is to have.
    seed : int
        Seed of the order.
    share : float or sequence of str
        In [0, 1]; or the names of the origins.

    Returns
    -------
    list of str
        In the order of their names.

    Raises
    ------
    CorpusError
        If one that is named does not exist, or shares a group with another.
    """
    shared = _sharing(sources)
    if not isinstance(share, float | int):
        return _named(sources, share, shared)
    labels = sources.groupby("origin")["label"].nunique()
    both = set(labels.index[labels == len(CATEGORIES)]) - shared
    able = sources[sources["full_length"]]
    # The class of a group is that of its category.
    counts = able.groupby(["origin", "category"])["group_id"].nunique()
    held: dict[str, int] = dict.fromkeys(test_groups, 0)
    taken = []
    for origin in sorted(both, key=lambda name: seeds.rank(seed, "unseen", name)):
        own = counts[origin] if origin in counts.index else pd.Series(dtype=int)
        of_classes = [own.reindex(list(names)).sum() for names in CATEGORIES.values()]
        after = {name: n + int(own.get(name, 0)) for name, n in held.items()}
        if all(of_classes) and all(n <= share * test_groups[name] for name, n in after.items()):
            taken.append(str(origin))
            held = after
    return sorted(taken)


def _sharing(sources: pd.DataFrame) -> set[str]:
    """Return the origins that have a group in common with another."""
    of_group = sources.groupby("group_id")["origin"].agg(set)
    return set().union(*of_group[of_group.map(len) > 1])


def _named(sources: pd.DataFrame, names: Sequence[str], shared: Collection[str]) -> list[str]:
    for name in names:
        if name not in set(sources["origin"]):
            raise CorpusError(f"trials.unseen_origins: no recording is of origin '{name}'")
        if name in shared:
            raise CorpusError(
                f"trials.unseen_origins: origin '{name}' has a group in common with another"
            )
    return sorted(names)
