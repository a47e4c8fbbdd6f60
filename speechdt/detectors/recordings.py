"""Scores of whole recordings, for hygiene checks."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pandas as pd

from speechdt.audio import io as audio_io
from speechdt.audio.presentation import Presentation
from speechdt.audio.rate import SAMPLE_RATE
from speechdt.detectors.call import ask
from speechdt.detectors.contract import Detector
from speechdt.detectors.hearing import Hearing
from speechdt.detectors.plugins import find_detectors
from speechdt.progress import progress as progress_bar
from speechdt.store import Store

LONGEST = 10 * SAMPLE_RATE
"""Samples that a detector hears at a time; a longer recording is cut evenly."""


AT_A_TIME = 200
"""Recordings that are measured before their scores are saved."""


def measure(
    index: pd.DataFrame,
    hearing: Hearing,
    store: Store,
    workers: int = 1,
) -> pd.DataFrame:
    """Ask a detector about every recording that it has not heard yet.

    Parameters
    ----------
    index : DataFrame
        source_id, path, sha256 (of the samples, under which scores are kept).
    hearing : Hearing
        The detector; its level is that of each stretch of a recording.
    store : Store
        Scores of this detector, with these options, at this level.
    workers : int
        Processes, each with a detector of its own.

    Returns
    -------
    DataFrame
        source_id, p_speech: the mean over stretches of at most 10 s (for WebRTC the share of
        voiced frames).
    """
    keys = [bytes.fromhex(digest) for digest in index["sha256"]]
    kept = store.get(keys)
    missing = [place for place, key in enumerate(keys) if key not in kept]
    paths = index["path"].tolist()
    with progress_bar(total=len(missing), desc="hygiene", unit="recording") as progress:
        scores_of = _scores([paths[place] for place in missing], hearing, workers)
        for start in range(0, len(missing), AT_A_TIME):
            some = missing[start : start + AT_A_TIME]
            fresh = {keys[place]: next(scores_of) for place in some}
            store.put(fresh)
            kept |= fresh
            progress.update(len(some))
    scores = [kept[key] for key in keys]
    return pd.DataFrame({"source_id": index["source_id"], "p_speech": scores})


def _scores(paths: Sequence[str], hearing: Hearing, workers: int) -> Iterator[float]:
    asked = hearing.backend, dict(hearing.options), hearing.presentation
    if workers == 1 or len(paths) < AT_A_TIME:
        _build(*asked)
        yield from map(_of_file, paths)
        return
    with ProcessPoolExecutor(workers, initializer=_build, initargs=asked) as pool:
        yield from pool.map(_of_file, paths, chunksize=16)


_detector: list[tuple[Detector, str]] = []  # of this process, and what an error calls it


def _build(backend: str, options: Mapping[str, Any], presentation: Presentation) -> None:
    # By name: classes of plugins cannot be sent to another process.
    hearing = Hearing(backend, find_detectors()[backend], options, presentation)
    _detector[:] = [(hearing.build(), f"backend '{backend}'")]


def _of_file(path: str) -> float:
    samples = audio_io.read(path)
    parts = np.array_split(samples, -(-len(samples) // LONGEST))
    detector, who = _detector[0]
    return float(ask(detector, parts, [path] * len(parts), who).mean())
