"""Origins whose noise is played as a background, and which give no targets in that split.

Where the same origins gave targets and backgrounds, a background could say which targets it goes
with: one game's water runs behind the other games' voices alone, as no item has both from one
group.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import pandas as pd

from speechdt.trials.grid import CROSSED

RECORDING = "recording"
"""Kind of background that is a recording of noise."""

SHARE = 0.25
"""Of the groups of noise, so many are to be backgrounds."""
KEPT = 0.6
"""Of the groups of each category, at least so many remain targets."""
FEWEST = 4
"""Groups of noise without which backgrounds would be too much alike."""


def background_origins(recordings: pd.DataFrame, noise: pd.DataFrame) -> list[str]:
    """Choose origins for backgrounds, so that as few targets as possible are lost.

    Origins that give SPEECH stay targets. Of the others those with the largest part of noise come
    first.

    Parameters
    ----------
    recordings : DataFrame
        All that a split may play: label, category, group_id, origin.
    noise : DataFrame
        The part of it that can be a background.

    Returns
    -------
    list of str
        In the order of their names; empty if there are not enough recordings.
    """
    groups = recordings.groupby(["origin", "category"])["group_id"].nunique().unstack(fill_value=0)
    of_noise = noise.groupby("origin")["group_id"].nunique()
    speaks = set(recordings.loc[recordings["label"] == "SPEECH", "origin"])
    candidates = sorted(
        (origin for origin in of_noise.index if origin not in speaks),
        key=lambda origin: (-of_noise[origin] / groups.loc[origin].sum(), str(origin)),
    )
    wanted = max(ceil(SHARE * noise["group_id"].nunique()), FEWEST)
    total, left, chosen, groups_apart = groups.sum(), groups.sum(), [], 0
    for origin in candidates:
        after = left - groups.loc[origin]
        if groups_apart < wanted and (after >= KEPT * total).all():
            left, groups_apart = after, groups_apart + int(of_noise[origin])
            chosen.append(str(origin))
    return sorted(chosen) if groups_apart >= FEWEST else []


class Parts(NamedTuple):
    """Sources that a split may play.

    Attributes
    ----------
    targets, noise : DataFrame
        Recordings that are targets, and those of noise that are recorded backgrounds.
    apart : bool
        Whether no origin is in both.
    """

    targets: pd.DataFrame
    noise: pd.DataFrame
    apart: bool


def parts(sources: pd.DataFrame, split: str, backgrounds: Sequence[str]) -> Parts:
    """Divide the recordings of a split into targets and recorded backgrounds.

    Parameters
    ----------
    sources : DataFrame
        From `split.assign`.
    split : str
    backgrounds : sequence of str
        Kinds of background; without `RECORDING` all recordings are targets.
    """
    here = sources[sources["split"] == split]
    # Synthetic noise that stands for a recording is there as a colour already.
    noise = here[(here["category"] == "noise") & ~here["path"].str.startswith("noise:")]
    if RECORDING not in backgrounds:
        return Parts(here, noise, apart=True)
    # Shorter recordings are of use in train alone.
    long = here["full_length"] if split in CROSSED else pd.Series(True, index=here.index)
    origins = background_origins(here[long], noise[long[noise.index]])
    if not origins:
        return Parts(here, noise, apart=False)
    return Parts(
        here[~here["origin"].isin(origins)], noise[noise["origin"].isin(origins)], apart=True
    )
