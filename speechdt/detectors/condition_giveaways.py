"""Give-away classifiers in conditions: whether a room or channel tells the class by itself."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from speechdt.audio.io import from_flac_bytes
from speechdt.detectors.contract import Detector
from speechdt.detectors.giveaways import COLUMNS
from speechdt.statistics.metrics import auc_interval
from speechdt.trials.cells import read_cell
from speechdt.trials.conditions import Condition


class ConditionGiveaways:
    """Judges classifiers in every condition, at its highest SNR, where a class shows most.

    Parameters
    ----------
    trials : mapping of Condition to path
        Those with clips of their own.
    replicates, seed : int
        Of the bootstrap.
    """

    def __init__(self, trials: Mapping[Condition, Path], replicates: int, seed: int):
        self._trials, self._drawn = trials, {"replicates": replicates, "seed": seed}
        self._rows: list[dict[str, object]] = []

    def judge(self, name: str, detector: Detector) -> None:
        """Ask a classifier about the clips of every condition."""
        for condition, file in self._trials.items():
            trials = read_cell(file, [*COLUMNS, "snr_db", "audio"])
            if condition.snr_db:
                trials = trials[trials["snr_db"] == max(condition.snr_db)]
            p = detector.score([from_flac_bytes(clip) for clip in trials["audio"]])
            scored = trials.assign(p_speech=np.asarray(p), speech=trials["label"] == "SPEECH")
            auc, low, high = auc_interval(scored, **self._drawn)
            row: dict[str, object] = {"features": name, "condition": condition.key}
            row |= {"axis": condition.axis, "at": condition.name, "n": len(scored)}
            self._rows.append(row | {"auc": auc, "auc_low": low, "auc_high": high})

    def table(self) -> pd.DataFrame:
        """Return features (the name), condition, axis, at, n, auc, auc_low and auc_high."""
        columns = ["features", "condition", "axis", "at", "n", "auc", "auc_low", "auc_high"]
        return pd.DataFrame(self._rows, columns=columns)
