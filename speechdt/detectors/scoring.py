"""Score the cells with a detector, never the same clip twice.

Scores are kept in a small database beside the results, by the content of the clip; the database
itself belongs to one detector, its options, its source and the versions of what it imports. A
killed job goes on where it was, a new SNR level costs its own clips only, and an edited backend
starts anew.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from speechdt.audio import from_flac_bytes
from speechdt.cells import SCHEMA, count_trials, read_cell
from speechdt.dependencies import code_hash, imported_versions
from speechdt.detector import Detector
from speechdt.errors import SpeechdtError
from speechdt.files import content_hash
from speechdt.kept import Store
from speechdt.plugins import source_files

CHUNK = 64
"""Clips that are scored, and saved, at a time."""


class ScoreError(SpeechdtError):
    """A detector breaks its contract; the message is one line naming it."""


def store_name(name: str, cls: type[Detector], options: Mapping[str, Any]) -> str:
    """Return the file name of the store for a detector under these options, source and versions."""
    files = source_files(cls)
    identity = {
        "options": {key: _content(value) for key, value in options.items()},
        "code": code_hash(*files),
        "versions": imported_versions(files),
    }
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode())
    return f"{name}-{digest.hexdigest()[:16]}.sqlite"


def _content(value: Any) -> Any:
    """Return an option, or the hash of the file or folder (a model, say) that it names."""
    return content_hash(Path(value)) if isinstance(value, str) and os.path.exists(value) else value


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


def ask(
    detector: Detector, clips: Sequence[NDArray[np.float32]], names: Sequence[str], who: str
) -> NDArray[np.float64]:
    """Return a detector's scores, float64 (clips,), or raise `ScoreError` if they are none.

    Parameters
    ----------
    detector : Detector
    clips : sequence of float32 arrays
    names : sequence of str
        Of the clips.
    who : str
        What an error calls the detector.
    """
    answered = detector.score(clips)
    try:
        scores = np.asarray(answered, dtype=np.float64)
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ScoreError(f"{who} answered with what are no numbers: {reason}") from error
    if scores.shape != (len(clips),):
        count = len(scores) if scores.ndim == 1 else f"an array of shape {scores.shape} as"
        raise ScoreError(f"{who} answered {count} scores to {len(clips)} clips")
    wrong = ~((scores >= 0) & (scores <= 1))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise ScoreError(f"{who} gives clip {names[first]} a P(speech) of {scores[first]}")
    return scores


def read_scored(cells: Sequence[Path | str], scores: Sequence[Path | str]) -> pd.DataFrame:
    """Join trials (all columns but audio) with their p_speech, over several cells."""
    columns = [name for name in SCHEMA.names if name != "audio"]
    joined = [
        read_cell(cell, columns).merge(pd.read_parquet(score), on="trial_id", validate="1:1")
        for cell, score in zip(cells, scores, strict=True)
    ]
    return pd.concat(joined, ignore_index=True)
