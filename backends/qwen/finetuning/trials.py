"""Readers of the trials to train on and of those that choose the checkpoint."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from speechdt.errors import SpeechdtError
from speechdt.trials.cells import read_cell

from .examples import CLASSES

COLUMNS = ["trial_id", "item_id", "label", "snr_db", "duration_ms", "audio"]


def read_train(cells: Sequence[Path], clips: int | None) -> pd.DataFrame:
    """Return the first `clips` trials by their items' number (COLUMNS), or all.

    Raises
    ------
    SpeechdtError
        If there are fewer, or one class is missing.
    """
    trials = _read(cells)
    numbers = trials["item_id"].str.rpartition("-")[2].astype(int)
    trials = trials.loc[numbers.sort_values(kind="stable").index].reset_index(drop=True)
    if clips is not None:
        if clips > len(trials):
            raise SpeechdtError(
                f"{clips} training clips are asked for, and there are {len(trials)}: "
                "raise trials.train_clips"
            )
        trials = trials[:clips]
    return _both_classes(trials, "train")


def read_dev(cells: Sequence[Path], clips: int | None) -> pd.DataFrame:
    """Return `clips` trials (COLUMNS), or all, evenly spread over the cells and over each class.

    Raises
    ------
    SpeechdtError
        If one class is missing.
    """
    trials = _read(cells)
    if clips is not None and clips < len(trials):
        parts = []
        for place, label in enumerate(CLASSES):
            part = trials[trials["label"] == label]
            share = min((clips + 1 - place) // 2, len(part))
            parts.append(part.iloc[np.arange(share) * len(part) // max(share, 1)])
        trials = pd.concat(parts, ignore_index=True)
    return _both_classes(trials, "dev")


def _read(cells: Sequence[Path]) -> pd.DataFrame:
    trials = pd.concat([read_cell(cell, COLUMNS) for cell in cells], ignore_index=True)
    return trials[trials["label"].isin(CLASSES)].reset_index(drop=True)


def _both_classes(trials: pd.DataFrame, split: str) -> pd.DataFrame:
    for label in CLASSES:
        if not (trials["label"] == label).any():
            raise SpeechdtError(f"{split}: no clip is {label}; both classes are needed")
    return trials
