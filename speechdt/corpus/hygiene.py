"""Hygiene: does a detector hear speech in NONSPEECH recordings, or too little of it in SPEECH?

A check is a detector and two thresholds. It flags recordings; only if asked does it remove them,
because labels that a rival has chosen make that rival look good.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from speechdt import audio
from speechdt.detector import SAMPLE_RATE, Detector
from speechdt.kept import Store
from speechdt.plugins import find_detectors
from speechdt.scoring import ask

LONGEST = 10 * SAMPLE_RATE
"""Samples that a detector hears at a time; a longer recording is cut evenly."""
AT_A_TIME = 200
"""Recordings that are measured before their scores are saved."""


class Thresholds(NamedTuple):
    """From where a recording is flagged.

    Attributes
    ----------
    nonspeech_above : float
        NONSPEECH is flagged if its P(speech) lies above it.
    speech_below : float
        SPEECH is flagged if its P(speech) lies below it.
    """

    nonspeech_above: float
    speech_below: float


def measure(
    index: pd.DataFrame,
    backend: str,
    options: Mapping[str, Any],
    store: Store,
    workers: int = 1,
) -> pd.DataFrame:
    """Ask a detector about every recording that it has not heard yet.

    Parameters
    ----------
    index : DataFrame
        source_id, path, sha256 (of the samples, under which scores are kept).
    backend : str
        Name of the detector.
    options : mapping
        What it is built with.
    store : Store
        Scores of this detector, with these options.
    workers : int
        Processes, each with a detector of its own.

    Returns
    -------
    DataFrame
        source_id, p_speech: the mean over stretches of at most 10 s (for WebRTC the share of
        voiced frames).
    """
    keys = [bytes.fromhex(digest) for digest in index["sha256"]]
    known = store.get(keys)
    missing = [place for place, key in enumerate(keys) if key not in known]
    paths = index["path"].tolist()
    with tqdm(total=len(missing), desc="hygiene", unit="recording") as progress:
        heard = _heard([paths[place] for place in missing], backend, options, workers)
        for start in range(0, len(missing), AT_A_TIME):
            some = missing[start : start + AT_A_TIME]
            fresh = {keys[place]: next(heard) for place in some}
            store.put(fresh)
            known |= fresh
            progress.update(len(some))
    scores = [known[key] for key in keys]
    return pd.DataFrame({"source_id": index["source_id"], "p_speech": scores})


def _heard(
    paths: Sequence[str], backend: str, options: Mapping[str, Any], workers: int
) -> Iterator[float]:
    if workers == 1 or len(paths) < AT_A_TIME:
        _build(backend, options)
        yield from map(_of_file, paths)
        return
    with ProcessPoolExecutor(workers, initializer=_build, initargs=(backend, options)) as pool:
        yield from pool.map(_of_file, paths, chunksize=16)


_detector: list[tuple[Detector, str]] = []  # of this process, and what an error calls it


def _build(backend: str, options: Mapping[str, Any]) -> None:
    _detector[:] = [(find_detectors()[backend](**options), f"backend '{backend}'")]


def _of_file(path: str) -> float:
    samples = audio.read(path)
    parts = np.array_split(samples, -(-len(samples) // LONGEST))
    detector, who = _detector[0]
    return float(ask(detector, parts, [path] * len(parts), who).mean())


def flag(index: pd.DataFrame, scores: pd.DataFrame, thresholds: Thresholds) -> pd.Series:
    """Say which recordings a check flags.

    Parameters
    ----------
    index : DataFrame
        source_id, label.
    scores : DataFrame
        From :func:`measure`.
    thresholds : Thresholds

    Returns
    -------
    Series of bool
        In the order of `index`.
    """
    p_speech = index["source_id"].map(scores.set_index("source_id")["p_speech"])
    speech = index["label"] == "SPEECH"
    flagged = np.where(
        speech, p_speech < thresholds.speech_below, p_speech > thresholds.nonspeech_above
    )
    return pd.Series(flagged, index=index.index, dtype=bool)


def count(
    index: pd.DataFrame,
    scores: Mapping[str, pd.DataFrame],
    thresholds: Mapping[str, Thresholds],
) -> pd.DataFrame:
    """Count what each check would remove of each category.

    Parameters
    ----------
    index : DataFrame
        source_id, label, category, group_id.
    scores, thresholds : mappings
        Of each check, by name.

    Returns
    -------
    DataFrame
        check, label, category, recordings, flagged, share (of the recordings), groups, groups_left
        (with a recording that is not flagged), p_median, threshold.
    """
    rows = []
    for check, measured in scores.items():
        own = index.assign(
            flagged=flag(index, measured, thresholds[check]),
            p_speech=index["source_id"].map(measured.set_index("source_id")["p_speech"]),
        )
        for (label, category), part in own.groupby(["label", "category"], sort=False):
            above, below = thresholds[check]
            rows.append(
                {
                    "check": check,
                    "label": label,
                    "category": category,
                    "recordings": len(part),
                    "flagged": int(part["flagged"].sum()),
                    "share": float(part["flagged"].mean()),
                    "groups": part["group_id"].nunique(),
                    "groups_left": part.loc[~part["flagged"], "group_id"].nunique(),
                    "p_median": float(part["p_speech"].median()),
                    "threshold": below if label == "SPEECH" else above,
                }
            )
    return pd.DataFrame(rows)
