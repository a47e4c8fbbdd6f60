"""Corpora: which recordings there are, what each is said to hold, and which can be used."""

import hashlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from speechdt import activity, audio
from speechdt.dependencies import code_hash, imported_versions
from speechdt.detector import SAMPLE_RATE
from speechdt.errors import SpeechdtError
from speechdt.files import walk
from speechdt.measured import FactStore, key

CATEGORIES = {
    "SPEECH": ("speech",),
    "NONSPEECH": ("music", "animals", "noise", "environment"),
}
"""Categories of each class."""

AT_A_TIME = 500
"""Recordings that are measured before what was found is kept."""

REQUIRED = ("path", "label", "category", "group_id")
"""Columns that a manifest must have; others are kept."""


class CorpusError(SpeechdtError):
    """A corpus cannot be used at all; the message is one line naming the folder or file."""


class Source(NamedTuple):
    """One recording as its corpus describes it.

    Attributes
    ----------
    path : str
        Path of the file, as reached from the working directory.
    source_id : str
        Unique name.
    label, category : str
        See `CATEGORIES`.
    group_id : str
        Speaker, video or recording family: what must never be in two splits.
    extra : dict
        Other columns of the manifest.
    """

    path: str
    source_id: str
    label: str
    category: str
    group_id: str
    extra: dict[str, str]


def read_folder(path: Path) -> Iterator[Source]:
    """List the recordings of a folder.

    With a ``manifest.csv`` (columns path, label, category, group_id; others are kept) the manifest
    decides. Without one the folders do: ``speech/…`` and ``nonspeech/<category>/…``, where the
    group is the subfolder, or the file itself where there is none.

    Parameters
    ----------
    path : Path
        Folder of the corpus.

    Yields
    ------
    Source

    Raises
    ------
    CorpusError
        If the folder or a manifest column is missing.
    """
    if not path.is_dir():
        raise CorpusError(f"corpus folder {path} does not exist")
    manifest = path / "manifest.csv"
    yield from _from_manifest(manifest) if manifest.exists() else _from_folders(path)


READERS: dict[str, Callable[[Path], Iterator[Source]]] = {"folder": read_folder}
"""Corpus readers by ``kind``."""


def read_corpora(corpora: Sequence[Mapping[str, Any]]) -> list[Source]:
    """List the recordings of several corpora, in order of path.

    Parameters
    ----------
    corpora : sequence of mappings
        Each with ``kind`` (a key of `READERS`) and ``path``.

    Raises
    ------
    CorpusError
        If a corpus cannot be read or two sources share an id.
    """
    sources: list[Source] = []
    for corpus in corpora:
        sources += READERS[corpus["kind"]](Path(corpus["path"]))
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
            # Arrays take a tenth of the memory of lists.
            facts["active"] = np.array(facts["active"], dtype=np.int32)
            measured.append({**described.pop("extra"), **described, **facts})
    columns = ["path", "source_id", "label", "category", "group_id", "seconds", "active"]
    usable = pd.DataFrame(measured) if measured else pd.DataFrame(columns=columns)
    return usable, pd.DataFrame(rejected, columns=["path", "source_id", "reason"])


def _from_manifest(manifest: Path) -> Iterator[Source]:
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    missing = [column for column in REQUIRED if column not in table]
    if missing:
        raise CorpusError(f"{manifest} lacks the column {', '.join(missing)}")
    for row in table.to_dict("records"):
        fields = {str(name): str(value) for name, value in row.items()}
        path = fields.pop("path")
        yield Source(
            path=str(manifest.parent / path),
            source_id=fields.pop("source_id", "") or path,
            label=fields.pop("label"),
            category=fields.pop("category"),
            group_id=fields.pop("group_id"),
            extra={name: v for name, v in fields.items() if name not in ("seconds", "peak")},
        )


def _from_folders(path: Path) -> Iterator[Source]:
    for entry in walk(path):
        file = Path(entry.path).relative_to(path)
        if file.suffix.lower() not in audio.SUFFIXES:
            continue
        label = file.parts[0].upper()
        depth = 1 if label == "SPEECH" else 2
        known = len(file.parts) > depth and label in CATEGORIES
        category = file.parts[depth - 1] if known else ""
        inside = len(file.parts) > depth + 1
        yield Source(
            path=entry.path,
            source_id=file.as_posix(),
            label=label if known else "",
            category=category,
            group_id="/".join(file.parts[: depth + 1]) if inside else file.as_posix(),
            extra={},
        )


def _measure_all(
    sources: Sequence[Source], shortest_ms: int, workers: int, kept: Path | None
) -> Iterator[tuple[dict[str, Any], str]]:
    store = FactStore(kept) if kept else None
    code = _measuring_code()
    progress = tqdm(total=len(sources), desc="reading recordings", unit="file")
    with ProcessPoolExecutor(workers) as pool, progress:
        for start in range(0, len(sources), AT_A_TIME):
            some = sources[start : start + AT_A_TIME]
            keys = [key(source.path, source, shortest_ms, code) for source in some]
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


def _measuring_code() -> tuple[str, ...]:
    """Return what says how recordings are measured; not how they are found, which sources say."""
    files = [Path(module.__file__ or "") for module in (audio, activity)]
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
    if source.label not in CATEGORIES:
        return {}, f"label '{source.label}' is neither SPEECH nor NONSPEECH"
    if source.category not in CATEGORIES[source.label]:
        known = ", ".join(CATEGORIES[source.label])
        return {}, f"category '{source.category}' is none of {source.label}'s ({known})"
    if not source.group_id:
        return {}, "no group_id"
    try:
        samples = audio.read(source.path)
    except audio.UnusableAudio as error:
        return {}, str(error)
    peak = float(np.abs(samples).max())
    if len(samples) < shortest_ms * SAMPLE_RATE // 1000:
        return {}, f"shorter than {shortest_ms} ms"
    if peak < audio.SILENCE:
        return {}, "silent"
    facts = {
        "seconds": len(samples) / SAMPLE_RATE,
        "peak": peak,
        "sha256": hashlib.sha256(samples.tobytes()).hexdigest(),
        "active": activity.to_runs(activity.active_frames(samples)),
    }
    return facts, ""
