"""Cards of conditions: one recording of each class, in every condition, to be listened to."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from speechdt.audio.io import flac_bytes, from_flac_bytes
from speechdt.audio.presentation import at_level
from speechdt.corpus.sources import CATEGORIES
from speechdt.reporting.pages.inspection import Card, card_of, draw
from speechdt.reporting.tables.conditions_text import AXES, condition_name
from speechdt.reporting.tables.formatting import minus
from speechdt.trials.cells import read_cell
from speechdt.trials.conditions import LEVEL, NEUTRAL, Condition


def condition_cards(
    conditions: Sequence[Condition], files: Iterable[Path | str], seed: int
) -> list[Card]:
    """Return a card for each class and condition, all of a class of one recording.

    Parameters
    ----------
    conditions : sequence of Condition
    files : iterable of paths
        ``trials/conditions/{key}.parquet``, in any order.
    seed : int
        Of the recordings that are drawn.
    """
    trials = {Path(path).stem: read_cell(path) for path in files}
    if NEUTRAL not in trials:
        return []
    return [
        _card(condition, _trial(trials, condition, item))
        for item in _items(trials[NEUTRAL], seed)
        for condition in conditions
    ]


def _items(trials: pd.DataFrame, seed: int) -> list[str]:
    """Return one item of each class."""
    of_class = (trials.loc[trials["label"] == label, "item_id"].unique() for label in CATEGORIES)
    return [name for names in of_class for name in draw(names, 1, seed, "condition")]


def _trial(trials: dict[str, pd.DataFrame], condition: Condition, item: str) -> dict[Any, Any]:
    """Return the trial of an item in a condition, at the middle one of its SNRs."""
    own = trials[condition.key if condition.rendered else NEUTRAL]
    rows = own[own["item_id"] == item].sort_values("snr_db").to_dict("records")
    return rows[len(rows) // 2]


def _card(condition: Condition, row: dict[Any, Any]) -> Card:
    named = {"axis": condition.axis, "at": condition.name}
    flac = row["audio"]
    if condition.axis == LEVEL and condition.level is not None:
        flac = flac_bytes(at_level(from_flac_bytes(flac), condition.level))
    snr = row["snr_db"]
    facts = {
        "condition": condition_name(named),
        "axis": AXES.get(condition.axis, NEUTRAL),
        "SNR": "no noise" if pd.isna(snr) else f"{minus(f'{snr:g}')} dB",
        "length": f"{row['duration_ms']} ms",
        "source": row["source_id"],
    }
    name = f"{row['item_id']}-{condition.key}"
    return card_of("condition", name, {**row, "background_id": ""}, facts, flac, ())
