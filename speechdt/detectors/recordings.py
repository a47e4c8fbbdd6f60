"""Scores of whole recordings, for hygiene checks."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from speechdt.audio import io as audio_io
from speechdt.audio.rate import SAMPLE_RATE
from speechdt.detectors.call import ask
from speechdt.detectors.contract import Detector
from speechdt.detectors.plugins import find_detectors
from speechdt.store import Store

LONGEST = 10 * SAMPLE_RATE
"""Samples that a detector hears at a time; a longer recording is cut evenly."""


AT_A_TIME = 200
"""Recordings that are measured before their scores are saved."""


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
    samples = audio_io.read(path)
    parts = np.array_split(samples, -(-len(samples) // LONGEST))
    detector, who = _detector[0]
    return float(ask(detector, parts, [path] * len(parts), who).mean())
