"""Score the cells with a detector, never the same clip twice.

Scores are kept in a small database beside the results, by the content of the clip; the database
itself belongs to one detector, its options, its source and the versions of what it imports. A
killed job goes on where it was, a new SNR level costs its own clips only, and an edited backend
starts anew.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from speechdt.audio.io import from_flac_bytes
from speechdt.detectors.call import ask
from speechdt.detectors.contract import Detector
from speechdt.store import Store
from speechdt.trials.cells import SCHEMA, count_trials, read_cell

CHUNK = 64
"""Clips that are scored, and saved, at a time."""


def score_cells(
    build: Callable[[], Detector],
    cells: Sequence[Path | str],
    outputs: Sequence[Path | str],
    store: Store,
    name: str,
) -> int:
    """Score every cell file and write trial_id, p_speech beside it.

    The detector is built when the first clip without a score turns up. Chunks are cut from the
    cell, not from what is missing of it, so that a resumed run groups clips as an undisturbed one.

    Parameters
    ----------
    build : callable
        Builds the detector.
    cells, outputs : sequences of paths
        Cell files, and where the scores of each go.
    store : Store
    name : str
        What an error calls the detector.

    Returns
    -------
    int
        Number of clips that the detector was asked for.

    Raises
    ------
    ScoreError
        If it answers with a wrong number of scores, or one that is not in [0, 1].
    """
    detector: Detector | None = None
    asked = 0
    total = sum(count_trials(cell) for cell in cells)
    with tqdm(total=total, desc="scoring", unit="clip") as progress:
        for cell, output in zip(cells, outputs, strict=True):
            trials = read_cell(cell, ["trial_id", "audio"])
            keys = [hashlib.sha256(clip).digest() for clip in trials["audio"]]
            known = store.get(keys)
            for start in range(0, len(trials), CHUNK):
                chunk = range(start, min(start + CHUNK, len(trials)))
                missing = [i for i in chunk if keys[i] not in known]
                if missing:
                    detector = detector or build()
                    clips = [from_flac_bytes(trials["audio"][i]) for i in missing]
                    fresh = ask(detector, clips, [trials["trial_id"][i] for i in missing], name)
                    new = {keys[i]: float(p) for i, p in zip(missing, fresh, strict=True)}
                    store.put(new)
                    known |= new
                    asked += len(missing)
                progress.update(len(chunk))
            scores = {"trial_id": trials["trial_id"], "p_speech": [known[key] for key in keys]}
            pd.DataFrame(scores).to_parquet(output, index=False)
    return asked


def read_scored(cells: Sequence[Path | str], scores: Sequence[Path | str]) -> pd.DataFrame:
    """Join trials (all columns but audio) with their p_speech, over several cells."""
    columns = [name for name in SCHEMA.names if name != "audio"]
    joined = [
        read_cell(cell, columns).merge(pd.read_parquet(score), on="trial_id", validate="1:1")
        for cell, score in zip(cells, scores, strict=True)
    ]
    return pd.concat(joined, ignore_index=True)
