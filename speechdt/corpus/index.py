"""Index of the corpora: usable recordings with their facts, and rejected ones with the reason."""

import hashlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from speechdt.progress import progress as progress_bar

from speechdt.audio import activity, containers, decoding, faults, highpass, streams
from speechdt.audio import io as audio_io
from speechdt.audio.rate import SAMPLE_RATE
from speechdt.audio.region import file_and_times
from speechdt.audio.unusable import UnusableAudio
from speechdt.code_hash import code_hash, imported_versions
from speechdt.corpus import file_states, readers, rejections
from speechdt.corpus.sources import CATEGORIES, CorpusError, Source
from speechdt.errors import one_line
from speechdt.store import Store

AT_A_TIME = 500
"""Recordings that are measured before what was found is kept."""


def read_corpora(corpora: Sequence[Mapping[str, Any]]) -> list[Source]:
    """List the recordings of several corpora, in order of their names.

    Where there are several folders, names and groups begin with that of the corpus.

    Parameters
    ----------
    corpora : sequence of mappings
        Each with ``kind`` (a key of `readers.READERS`), and the options of that kind.

    Raises
    ------
    CorpusError
        If a corpus cannot be read or two sources share an id. The same recording may be listed
        twice, with the same label, category and group; the second then says so as its reason.
    """
    sources: list[Source] = []
    folders = {readers.name(corpus) for corpus in corpora if corpus["kind"] == "folder"}
    for corpus in corpora:
        listed = readers.read(corpus)
        if len(folders) > 1 and corpus["kind"] == "folder":
            listed = map(_of_its_corpus, listed)
        sources += listed
    sources.sort(key=lambda source: (source.source_id, source.path))
    for place, (one, next_) in enumerate(pairwise(sources), 1):
        if one.source_id == next_.source_id:
            _refuse_contradiction(one, next_)
            sources[place] = next_._replace(reason=next_.reason or "listed twice")
    return sources


def _of_its_corpus(source: Source) -> Source:
    """Name a source and its group by its corpus: another folder may use the same names."""
    own = source.extra["corpus"]
    group = f"{own}/{source.group_id}" if source.group_id else ""
    return source._replace(source_id=f"{own}/{source.source_id}", group_id=group)


def _refuse_contradiction(one: Source, other: Source) -> None:
    """Refuse two sources of one id that are not the same recording, described in the same way."""
    if one.path != other.path:
        raise CorpusError(
            f"source_id {one.source_id} stands for {one.path} and {other.path}; corpora that are "
            "not one need a name each (`name` of the entry)"
        )
    if one.label != other.label:
        raise CorpusError(
            f"two labels for {one.path}: it is listed as {one.label} and as {other.label}"
        )
    for field in ("category", "group_id"):
        first, second = getattr(one, field), getattr(other, field)
        if first != second:
            raise CorpusError(f"{one.path} is listed twice, with {field} '{first}' and '{second}'")


def index(
    sources: Sequence[Source],
    shortest_ms: int,
    workers: int = 1,
    kept: Path | None = None,
    anew: bool = False,
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
    anew : bool
        Whether all are read, whatever is kept.

    Returns
    -------
    usable : DataFrame
        path, source_id, label, category, group_id, seconds, peak, sha256 (of the 16 kHz samples),
        active (runs of 10 ms frames, see `activity.to_runs`), downmix, offset and rumble_db (see
        `audio.Recording`), and the manifest's other columns. The same samples stand there once for
        each label, of which `labels.check` allows one.
    rejected : DataFrame
        path, source_id, reason.
    """
    measured: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    first_with: dict[tuple[str, str], Source] = {}
    for source, (facts, reason) in zip(
        sources, _measure_all(sources, shortest_ms, workers, kept, anew), strict=True
    ):
        if facts:
            twin = first_with.setdefault((facts["sha256"], source.label), source)
            reason = "" if twin is source else f"same audio as {twin.path}"
        if reason:
            named = {"path": source.path, "source_id": source.source_id}
            rejected.append(named | {"reason": one_line(reason)})
        else:
            described = source._asdict()
            del described["reason"]
            # Arrays take a tenth of the memory of lists.
            facts["active"] = np.array(facts["active"], dtype=np.int32)
            measured.append({**described.pop("extra"), **described, **facts})
    columns = ["path", "source_id", "label", "category", "group_id", "seconds", "active", "sha256"]
    usable = pd.DataFrame(measured) if measured else pd.DataFrame(columns=columns)
    return usable, pd.DataFrame(rejected, columns=rejections.COLUMNS)


def _measure_all(
    sources: Sequence[Source], shortest_ms: int, workers: int, kept: Path | None, anew: bool
) -> Iterator[tuple[dict[str, Any], str]]:
    store = Store(kept) if kept else None
    code = _measuring_code()
    # SciPy is loaded once, and not by each process of its own.
    highpass.highpass(np.zeros(1, dtype=np.float32))
    progress = progress_bar(total=len(sources), desc="reading recordings", unit="file")
    with ProcessPoolExecutor(workers) as pool, progress:
        for start in range(0, len(sources), AT_A_TIME):
            some = sources[start : start + AT_A_TIME]
            keys = [_key(source.path, source, shortest_ms, code) for source in some]
            outcomes = _kept(store, keys) if store and not anew else {}
            new = [place for place, name in enumerate(keys) if name not in outcomes]
            tasks = [some[place] for place in new], [shortest_ms] * len(new)
            run = partial(pool.map, chunksize=16) if workers > 1 else map
            measured = list(run(_measure_with_content, *tasks))
            fresh = {keys[place]: facts for place, (facts, _) in zip(new, measured, strict=True)}
            if store:
                read = [(keys[place], *one) for place, one in zip(new, measured, strict=True)]
                store.put(
                    {
                        _of_decoder(key) if content and content.container else key: facts
                        for key, facts, content in read
                    }
                )
                files = (file_and_times(some[place].path)[0] for place in new)
                contents = zip(files, (content for _, content in measured), strict=True)
                file_states.remember(
                    store, {file: one for file, one in contents if one is not None}
                )
            outcomes |= fresh
            for name in keys:
                facts, reason = outcomes[name]
                yield facts, reason
            progress.update(len(some))


def _kept(store: Store, keys: Sequence[bytes]) -> dict[bytes, Any]:
    """Return what is kept of recordings; of those that PyAV reads, by the version that is there."""
    stored = store.get(keys)
    others = {_of_decoder(key): key for key in keys if key not in stored}
    by_decoder = store.get(list(others)) if others else {}
    return stored | {others[name]: facts for name, facts in by_decoder.items()}


def _of_decoder(key: bytes) -> bytes:
    return hashlib.sha256(key + containers.decoder().encode()).digest()


def _measure_with_content(
    source: Source, shortest_ms: int
) -> tuple[tuple[dict[str, Any], str], file_states.Content | None]:
    """Measure a recording, and return what its file holds as well."""
    measured = measure(source, shortest_ms)
    return measured, None if source.reason else file_states.content(file_and_times(source.path)[0])


def _key(path: str, *circumstances: object) -> bytes:
    """Return the key of a recording: its path, its file's size, times and inode, the circumstances.

    It may be a file, a region of one (``file.wav#t=…``), or a name without a file; circumstances
    are what else its facts depend on, with a `repr` that says all of it.
    """
    state = file_states.state(file_and_times(path)[0])
    return hashlib.sha256(repr((path, state, circumstances)).encode()).digest()


def _measuring_code() -> tuple[str, ...]:
    """Return what says how recordings are measured; not how they are found, which sources say."""
    files = [
        Path(module.__file__ or "")
        for module in (audio_io, activity, decoding, faults, highpass, streams)
    ]
    versions = str(imported_versions(files))
    return (code_hash(*files), inspect.getsource(measure), versions)


def measure(source: Source, shortest_ms: int) -> tuple[dict[str, Any], str]:
    """Read one recording.

    Returns
    -------
    facts : dict
        seconds, peak, sha256, active, downmix, offset and rumble_db (see :func:`index`); empty if
        the recording is rejected.
    reason : str
        Why it is rejected, '' if it is not.
    """
    if source.reason:
        return {}, source.reason
    if source.label not in CATEGORIES:
        return {}, f"unknown label '{source.label}'; known: {', '.join(CATEGORIES)}"
    if source.category not in CATEGORIES[source.label]:
        accepted = ", ".join(CATEGORIES[source.label])
        return {}, f"category '{source.category}' is none of {source.label}'s ({accepted})"
    if not source.group_id:
        return {}, "no group_id"
    try:
        recording = audio_io.load(source.path)
    except UnusableAudio as error:
        return {}, str(error)
    samples = recording.samples
    peak = float(max(samples.max(), -samples.min()))
    if len(samples) < shortest_ms * SAMPLE_RATE // 1000:
        return {}, f"shorter than {shortest_ms} ms"
    if peak < audio_io.SILENCE:
        return {}, "silent"
    facts = {
        "seconds": len(samples) / SAMPLE_RATE,
        "peak": peak,
        "downmix": recording.downmix,
        "offset": recording.offset,
        "rumble_db": recording.rumble_db,
        "hum_db": recording.hum_db,
        "clipped": recording.clipped,
        "faults": faults.named(*recording[2:]),
        "sha256": hashlib.sha256(samples.data).hexdigest(),
        "active": activity.to_runs(activity.active_frames(samples)),
    }
    return facts, ""
