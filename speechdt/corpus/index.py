"""Index of the corpora: usable recordings with their facts, and rejected ones with the reason."""

import hashlib
import inspect
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from speechdt.audio import activity, io as audio_io
from speechdt.corpus import readers
from speechdt.code_hash import code_hash, imported_versions
from speechdt.audio.rate import SAMPLE_RATE
from speechdt.store import Store
from speechdt.corpus.sources import CATEGORIES, CorpusError, Source

AT_A_TIME = 500
"""Recordings that are measured before what was found is kept."""


def read_corpora(corpora: Sequence[Mapping[str, Any]]) -> list[Source]:
    """List the recordings of several corpora, in order of path.

    Parameters
    ----------
    corpora : sequence of mappings
        Each with ``kind`` (a key of `readers.READERS`), and the options of that kind.

    Raises
    ------
    CorpusError
        If a corpus cannot be read or two sources share an id.
    """
    sources: list[Source] = []
    for corpus in corpora:
        sources += readers.read(corpus)
    sources.sort(key=lambda source: (source.source_id, source.path))
    for one, next_ in pairwise(sources):
        if one.source_id == next_.source_id:
            raise CorpusError(f"source_id {one.source_id} stands for {one.path} and {next_.path}")
    return sources


def index(
    sources: Sequence[Source], shortest_ms: int, workers: int = 1, kept: Path | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read every recording once: measure the usable ones, give the reason for the others.

    Parameters
    ----------
    sources : sequence of Source
        From :func:`read_corpora`.
    shortest_ms : int
        Recordings shorter than this are rejected.
    workers : int
        Processes that read.
    kept : Path, optional
        Where what is measured is kept, so that only new or changed files are read again.

    Returns
    -------
    usable : DataFrame
        path, source_id, label, category, group_id, seconds, peak, sha256 (of the 16 kHz samples),
        active (runs of 10 ms frames, see `activity.to_runs`), and the manifest's other columns.
    rejected : DataFrame
        path, source_id, reason.
    """
    measured: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    first_with: dict[str, str] = {}
    for source, (facts, reason) in zip(
        sources, _measure_all(sources, shortest_ms, workers, kept), strict=True
    ):
        twin = first_with.setdefault(facts["sha256"], source.path) if facts else source.path
        if twin != source.path:
            reason = f"same audio as {twin}"
        if reason:
            rejected.append({"path": source.path, "source_id": source.source_id, "reason": reason})
        else:
            described = source._asdict()
            del described["reason"]
            # Arrays take a tenth of the memory of lists.
            facts["active"] = np.array(facts["active"], dtype=np.int32)
            measured.append({**described.pop("extra"), **described, **facts})
    columns = ["path", "source_id", "label", "category", "group_id", "seconds", "active"]
    usable = pd.DataFrame(measured) if measured else pd.DataFrame(columns=columns)
    return usable, pd.DataFrame(rejected, columns=["path", "source_id", "reason"])


def _measure_all(
    sources: Sequence[Source], shortest_ms: int, workers: int, kept: Path | None
) -> Iterator[tuple[dict[str, Any], str]]:
    store = Store(kept) if kept else None
    code = _measuring_code()
    progress = tqdm(total=len(sources), desc="reading recordings", unit="file")
    with ProcessPoolExecutor(workers) as pool, progress:
        for start in range(0, len(sources), AT_A_TIME):
            some = sources[start : start + AT_A_TIME]
            keys = [_key(source.path, source, shortest_ms, code) for source in some]
            known = store.get(keys) if store else {}
            new = [place for place, name in enumerate(keys) if name not in known]
            tasks = [some[place] for place in new], [shortest_ms] * len(new)
            found = pool.map(measure, *tasks, chunksize=16) if workers > 1 else map(measure, *tasks)
            fresh = dict(zip((keys[place] for place in new), found, strict=True))
            if store:
                store.put(fresh)
            known |= fresh
            for name in keys:
                facts, reason = known[name]
                yield facts, reason
            progress.update(len(some))


def _key(path: str, *circumstances: object) -> bytes:
    """Return the key of a recording: its path, its file's size and time, and the circumstances.

    It may be a file, a region of one (``file.wav#t=…``), or a name without a file; circumstances
    are what else its facts depend on, with a `repr` that says all of it.
    """
    try:
        status = os.stat(path.split("#t=")[0])
        state = (status.st_size, status.st_mtime_ns)
    except OSError:
        state = (0, 0)
    return hashlib.sha256(repr((path, state, circumstances)).encode()).digest()


def _measuring_code() -> tuple[str, ...]:
    """Return what says how recordings are measured; not how they are found, which sources say."""
    files = [Path(module.__file__ or "") for module in (audio_io, activity)]
    return (code_hash(*files), inspect.getsource(measure), str(imported_versions(files)))


def measure(source: Source, shortest_ms: int) -> tuple[dict[str, Any], str]:
    """Read one recording.

    Returns
    -------
    facts : dict
        seconds, peak, sha256 and active (see :func:`index`); empty if the recording is rejected.
    reason : str
        Why it is rejected, '' if it is not.
    """
    if source.reason:
        return {}, source.reason
    if source.label not in CATEGORIES:
        return {}, f"label '{source.label}' is neither SPEECH nor NONSPEECH"
    if source.category not in CATEGORIES[source.label]:
        known = ", ".join(CATEGORIES[source.label])
        return {}, f"category '{source.category}' is none of {source.label}'s ({known})"
    if not source.group_id:
        return {}, "no group_id"
    try:
        samples = audio_io.read(source.path)
    except audio_io.UnusableAudio as error:
        return {}, str(error)
    peak = float(np.abs(samples).max())
    if len(samples) < shortest_ms * SAMPLE_RATE // 1000:
        return {}, f"shorter than {shortest_ms} ms"
    if peak < audio_io.SILENCE:
        return {}, "silent"
    facts = {
        "seconds": len(samples) / SAMPLE_RATE,
        "peak": peak,
        "sha256": hashlib.sha256(samples.tobytes()).hexdigest(),
        "active": activity.to_runs(activity.active_frames(samples)),
    }
    return facts, ""
