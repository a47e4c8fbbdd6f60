"""Give-away classifiers: detectors that see level, bandwidth, spectrum or origin alone."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from speechdt.arrays import Floats
from speechdt.audio.io import from_flac_bytes
from speechdt.detectors.contract import Detector, FineTunable
from speechdt.statistics.calibration import calibrate
from speechdt.statistics.criterion import threshold_replicates
from speechdt.statistics.metrics import evaluate
from speechdt.trials.cells import read_cell

METRICS = ("auc", "balanced_accuracy")
COLUMNS = ["trial_id", "item_id", "group_id", "label"]
NAMED = {"origin": "origin", "background's origin": "background_origin"}
"""Classifiers that get a name instead of a clip, and the column of the trials that holds it."""
APART, SHARED = "apart", "shared"
"""Whether test's recorded backgrounds are of origins that give no targets, or of the same."""


def giveaways(
    cls: type[FineTunable],
    settings: Mapping[str, Mapping[str, object]],
    cells: Mapping[str, Sequence[Path]],
    *,
    replicates: int,
    seed: int,
    also: Callable[[str, Detector], None] | None = None,
) -> pd.DataFrame:
    """Train each classifier on train, set its threshold on dev, and judge it on test.

    Beside the classifiers of clips there is one for each name of `NAMED`: how often trials of that
    name are SPEECH in train. That of the background's origin is at chance where backgrounds say
    nothing of the class.

    Parameters
    ----------
    cls : type
        A detector that can be trained, built with ``adapter``.
    settings : mapping
        Settings of each classifier's training, by its name.
    cells : mapping
        Cell files of train, dev and test.
    replicates, seed : int
        Of the bootstrap.
    also : callable, optional
        Is given each classifier with its name, to ask it about other trials.

    Returns
    -------
    DataFrame
        features (the classifier's name), n, of auc and balanced_accuracy the value, ``_low`` and
        ``_high``, and backgrounds (`APART` or `SHARED`).
    """
    trained = {}
    for name, own in settings.items():
        with TemporaryDirectory() as folder:
            out = Path(folder) / "trained"
            cls.finetune(cells["train"], cells["dev"], out, **own)
            trained[name] = cls(adapter=str(out))  # type: ignore[call-arg]
        if also is not None:
            also(name, trained[name])
    dev, test = (scored(trained, cells[split]) for split in ("dev", "test"))
    judged = {name: [dev[name], test[name]] for name in trained}
    named = {split: _named(files) for split, files in cells.items()}
    for name, column in NAMED.items():
        judged[name] = [
            named[split].assign(p_speech=shares(named["train"], named[split], column))
            for split in ("dev", "test")
        ]
    table = pd.DataFrame(
        {"features": name} | _judged(dev, test, replicates, seed)
        for name, (dev, test) in judged.items()
    )
    tested = named["test"]
    both = (set(tested["background_origin"]) - {""}) & set(tested["origin"])
    return table.assign(backgrounds=SHARED if both else APART)


def shares(train: pd.DataFrame, trials: pd.DataFrame, column: str) -> Floats:
    """Return how often trials of the same name are SPEECH in train, (trials,).

    Counts are drawn to one half by one trial of each class, so that a name that train does not
    hold says nothing.
    """
    of_name = train.groupby(column)["speech"].agg(["sum", "size"])
    share = (of_name["sum"] + 1) / (of_name["size"] + 2)
    return trials[column].map(share).fillna(0.5).to_numpy(dtype=np.float64)


def _judged(dev: pd.DataFrame, test: pd.DataFrame, replicates: int, seed: int) -> dict[str, object]:
    learned = calibrate(dev["p_speech"], dev["speech"])
    p = test["p_speech"]
    decided = test.assign(decided=learned.decide(p), p_temperature=p, p_platt=p)
    drawn = {"replicates": replicates, "seed": seed}
    thresholds = threshold_replicates(dev, rule="balanced", **drawn)[None]
    table = evaluate(decided, thresholds, **drawn).set_index("metric")
    row: dict[str, object] = {"n": len(test)}
    for metric in METRICS:
        ends = {"value": "", "low": "_low", "high": "_high"}
        row |= {f"{metric}{end}": table.loc[metric, part] for part, end in ends.items()}
    return row


def _named(cells: Sequence[Path]) -> pd.DataFrame:
    """Return the trials of cells with the columns of `NAMED`."""
    parts = [read_cell(cell, [*COLUMNS, *NAMED.values()]) for cell in cells]
    table = pd.concat(parts, ignore_index=True)
    table = table.fillna(dict.fromkeys(NAMED.values(), ""))
    return table.assign(speech=table["label"] == "SPEECH")


def scored(detectors: Mapping[str, Detector], cells: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """Return the trials of cells with the scores of each detector; clips are decoded once."""
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in detectors}
    for cell in cells:
        trials = read_cell(cell, [*COLUMNS, "audio"])
        clips = [from_flac_bytes(clip) for clip in trials["audio"]]
        rows = trials.drop(columns="audio").assign(speech=trials["label"] == "SPEECH")
        for name, detector in detectors.items():
            parts[name].append(rows.assign(p_speech=np.asarray(detector.score(clips))))
    return {name: pd.concat(tables, ignore_index=True) for name, tables in parts.items()}
