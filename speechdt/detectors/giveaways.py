"""Give-away classifiers: detectors that see level, bandwidth or spectrum alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from speechdt.audio.io import from_flac_bytes
from speechdt.detectors.contract import Detector, FineTunable
from speechdt.statistics.calibration import calibrate
from speechdt.statistics.metrics import evaluate
from speechdt.trials.cells import read_cell

METRICS = ("auc", "balanced_accuracy")
COLUMNS = ["trial_id", "item_id", "group_id", "label", "audio"]


def giveaways(
    cls: type[FineTunable],
    settings: Mapping[str, Mapping[str, object]],
    cells: Mapping[str, Sequence[Path]],
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """Train each classifier on train, set its threshold on dev, and judge it on test.

    Parameters
    ----------
    cls : type
        A detector that can be trained, built with ``adapter``.
    settings : mapping
        What each classifier's training is told, by its name.
    cells : mapping
        Cell files of train, dev and test.
    replicates, seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        features (the classifier's name), n, and of auc and balanced_accuracy the value, ``_low``
        and ``_high``.
    """
    rows = []
    for name, told in settings.items():
        with TemporaryDirectory() as folder:
            out = Path(folder) / "trained"
            cls.finetune(cells["train"], cells["dev"], out, **told)
            detector = cls(adapter=str(out))  # type: ignore[call-arg]
            dev, test = (_scored(detector, cells[split]) for split in ("dev", "test"))
        learned = calibrate(dev["p_speech"], dev["speech"])
        p = test["p_speech"]
        decided = test.assign(decided=learned.decide(p), p_temperature=p, p_platt=p)
        table = evaluate(decided, replicates=replicates, seed=seed).set_index("metric")
        row: dict[str, object] = {"features": name, "n": len(test)}
        for metric in METRICS:
            ends = {"value": "", "low": "_low", "high": "_high"}
            row |= {f"{metric}{end}": table.loc[metric, part] for part, end in ends.items()}
        rows.append(row)
    return pd.DataFrame(rows)


def _scored(detector: Detector, cells: Sequence[Path]) -> pd.DataFrame:
    """Return the trials of cells with their scores."""
    parts = []
    for cell in cells:
        trials = read_cell(cell, COLUMNS)
        p = np.asarray(detector.score([from_flac_bytes(clip) for clip in trials["audio"]]))
        parts.append(trials.drop(columns="audio").assign(p_speech=p))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(speech=table["label"] == "SPEECH")
