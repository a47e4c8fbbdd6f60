"""Trials of foils: recordings that are in neither class, clean and before white noise."""

from collections.abc import Sequence

import pandas as pd

from speechdt import seeds
from speechdt.errors import SpeechdtError
from speechdt.trials.conditions import CLEAN, Condition
from speechdt.trials.dealing import Deck
from speechdt.trials.items import item_of

SPLIT = "foils"
"""Folder of their trials and scores."""


class NoFoils(SpeechdtError):
    """There is no recording to play; the message is one line."""


def foil_conditions(snr_db: Sequence[float], duration_ms: int) -> list[Condition]:
    """Return the two files of trials: before noise at the plan's SNRs, and without noise."""
    return [
        Condition("noisy", "", tuple(sorted(snr_db)), duration_ms, "white"),
        Condition("clean", "", (), duration_ms, CLEAN),
    ]


def foil_items(
    foils: pd.DataFrame, per_kind: int, duration_ms: int, *, seed: int, least_active: float
) -> pd.DataFrame:
    """Choose crops of foils, as many of each kind, over its groups.

    Parameters
    ----------
    foils : DataFrame
        From `corpus.foils.heard_in_test_alone`.
    per_kind, duration_ms, seed, least_active
        As for `items.crossed`.

    Returns
    -------
    DataFrame
        item_id, label, category (the kind), source_id, group_id, origin, path, start, length.

    Raises
    ------
    NoFoils
        If no recording is active for so long.
    """
    rows = []
    for kind, of in foils.groupby("category"):
        deck = Deck(of, [duration_ms], least_active, seed, f"{SPLIT}/{kind}")
        for number in range(per_kind if len(deck) else 0):
            item_id = f"foil-{kind}-{number:05d}"
            source, start = deck.deal(seeds.generator(seed, "crop", item_id))
            rows.append(item_of(item_id, source, start, duration_ms))
    if not rows:
        raise NoFoils(
            f"foils: of {len(foils)} recordings none is active for {duration_ms} ms and apart from "
            "train and dev; set foils.items to 0, or name a corpus that has some"
        )
    return pd.DataFrame(rows)
