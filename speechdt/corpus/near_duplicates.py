"""Search for recordings of nearly the same audio in different splits, or under different labels.

Two steps. An index from the words of all fingerprints to where they stand proposes pairs that share
several words at one and the same shift: no pair is compared that shares none. Then the two
recordings are read, and compared sample by sample at that shift.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.signal import butter, correlate, sosfilt
from speechdt.progress import progress as progress_bar

from speechdt.audio import io as audio_io
from speechdt.audio.fingerprint import (
    BITS,
    HIGHEST_HZ,
    HOP,
    LOWEST_HZ,
    Fingerprint,
    fingerprint,
    variants,
)
from speechdt.audio.rate import SAMPLE_RATE

SCHEMA = pa.schema(
    [
        ("source_id", pa.string()),
        ("words", pa.list_(pa.int32())),
        ("weak", pa.list_(pa.int32())),
    ]
)
"""Columns of the file of fingerprints; see `fingerprint.Fingerprint`."""
ROWS = 500
"""Recordings in a row group: what is in memory at a time."""

MOST_WORDS = 500
"""Frames of one recording in the index: 4 s of every frame; longer ones are thinned evenly."""
MOST_ALIKE = 100
"""A word that stands in more places says nothing, and is passed over."""
LEAST_VOTES = 4
"""Words that a pair must share at one shift to be compared."""
SHORTEST, STRETCH = 3200, 8000
"""Samples that two recordings must share (200 ms, a short clip), and that are compared at once."""
LEAST_ALIKE, LEAST_ALIKE_SHORT = 0.7, 0.8
"""Correlation from which two recordings are the same audio, over `STRETCH` and over less: above
what unrelated ones of one category reach at any shift (0.54, 0.73; benchmarks/unrelated.py)."""
SILENT = 1e-8
"""Mean product below which a stretch is silence (-80 dB of full scale), which is alike anywhere."""
# What the fingerprints hear. Hum below it is alike in recordings that share nothing else.
_BAND = butter(4, (LOWEST_HZ, HIGHEST_HZ), "bandpass", fs=SAMPLE_RATE, output="sos")

_FRAMES = 4000  # of one recording that are asked for at a time: 32 s


class Candidate(NamedTuple):
    """Two recordings that may hold the same audio.

    Attributes
    ----------
    one, other : int
        Their places in the table of sources, one < other.
    shift : int
        Frames by which the audio comes later in `one`.
    votes : int
        Words that they share at this shift.
    """

    one: int
    other: int
    shift: int
    votes: int


def write_fingerprints(
    path: Path | str, ids: Sequence[str], files: Sequence[str], workers: int = 1
) -> None:
    """Fingerprint recordings and write them to a Parquet file with the columns of `SCHEMA`.

    Parameters
    ----------
    path : path
    ids, files : sequences of str
        Name and path of each recording.
    workers : int
        Processes that read.
    """
    with ProcessPoolExecutor(workers) as pool, pq.ParquetWriter(path, SCHEMA) as writer:
        for start in progress_bar(range(0, len(files), ROWS), desc="fingerprints", unit="group"):
            part = files[start : start + ROWS]
            prints = pool.map(_of_file, part, chunksize=16) if workers > 1 else map(_of_file, part)
            words, weak = zip(*prints, strict=True)
            names = pa.array(ids[start : start + ROWS], pa.string())
            columns = [names, pa.array(words, SCHEMA[1].type), pa.array(weak, SCHEMA[2].type)]
            writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))


def _of_file(path: str) -> Fingerprint:
    return fingerprint(audio_io.read(path))


def read_fingerprints(
    path: Path | str, groups: Iterable[int] | None = None
) -> Iterator[tuple[str, Fingerprint]]:
    """Yield the name and fingerprint of each recording, or of those in some row groups."""
    file = pq.ParquetFile(path)
    for group in range(file.num_row_groups) if groups is None else groups:
        table = file.read_row_group(group)
        for name, words, weak in zip(*table.columns, strict=True):
            bits = (np.asarray(column.values, dtype=np.int32) for column in (words, weak))
            yield name.as_py(), Fingerprint(*bits)


class WordIndex:
    """Where each word stands: places sorted by word, and where those of each word begin.

    Parameters
    ----------
    prints : iterable of (int, Fingerprint)
        Place of each recording in the table of sources, and its fingerprint.
    """

    def __init__(self, prints: Iterable[tuple[int, Fingerprint]]):
        words, where = [np.zeros(0, dtype=np.int32)], [np.zeros(0, dtype=np.int64)]
        for source, print_ in prints:
            kept = _thinned(len(print_.words))
            words.append(print_.words[kept])
            where.append(_number(source, -kept))
        every, numbers = np.concatenate(words), np.concatenate(where)
        del words, where  # half a gigabyte with 100,000 recordings
        order = np.argsort(every, kind="stable")
        # Small types: most of the time goes into looking up here and there in large arrays.
        self._begin = np.zeros(2**BITS + 1, dtype=np.int32)
        np.cumsum(np.bincount(every, minlength=2**BITS), out=self._begin[1:])
        self._where = numbers[order]

    def places(self, print_: Fingerprint) -> NDArray[np.int64]:
        """Return source and shift (in frames), as one number, of every place of its words."""
        asked = variants(print_)
        begin, end = self._begin[asked].ravel(), self._begin[asked + 1].ravel()
        telling = np.flatnonzero((end > begin) & (end <= begin + MOST_ALIKE))
        begin, count = begin[telling], (end - begin)[telling]
        before = np.cumsum(count, dtype=np.int32) - count
        place = np.arange(count.sum(), dtype=np.int32) + np.repeat(begin - before, count)
        return np.asarray(self._where[place] + np.repeat(telling // asked.shape[1], count))


def _number(source: int, shift: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return source and shift as one number, to which a shift can be added."""
    return (source << 32) + 2**31 + shift


class _Search(NamedTuple):
    """All that a process needs to ask for some row groups of fingerprints."""

    prints: Path | str
    place_of: dict[str, int]
    kind: NDArray[np.intp]
    word_index: WordIndex


_search: list[_Search] = []  # of this process; those that it forks share its memory


def candidates(
    prints: Path | str,
    sources: pd.DataFrame,
    workers: int = 1,
    apart: Sequence[str] = ("split",),
) -> list[Candidate]:
    """Propose pairs of recordings of different splits that share words at one shift.

    Parameters
    ----------
    prints : path
        From :func:`write_fingerprints`.
    sources : DataFrame
        source_id and what `apart` names; recordings that are not in it are passed over.
    workers : int
        Processes that ask the index.
    apart : sequence of str
        Columns in one of which the recordings of a pair must differ.
    """
    place_of = {name: place for place, name in enumerate(sources["source_id"])}
    indexed = (
        (place_of[name], print_) for name, print_ in read_fingerprints(prints) if name in place_of
    )
    kind = np.asarray(sources.groupby(list(apart), dropna=False).ngroup(), dtype=np.intp)
    _search[:] = [_Search(prints, place_of, kind, WordIndex(indexed))]
    groups, pairs = range(pq.ParquetFile(prints).num_row_groups), dict[tuple[int, int], Candidate]()
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        proposed = pool.map(_propose, groups) if workers > 1 else map(_propose, groups)
        turns = progress_bar(proposed, total=len(groups), desc="twins", unit="group")
        for pair in chain.from_iterable(turns):
            best = pairs.get((pair.one, pair.other))
            if best is None or pair.votes > best.votes:
                pairs[pair.one, pair.other] = pair
    _search.clear()
    return [pairs[pair] for pair in sorted(pairs)]


def _propose(group: int) -> list[Candidate]:
    """Propose pairs for the fingerprints of one row group."""
    prints, place_of, kind, word_index = _search[0]
    pairs = []
    for name, print_ in read_fingerprints(prints, [group]):
        place = place_of.get(name)
        if place is None:
            continue
        for start in range(0, len(print_.words), _FRAMES):
            some = Fingerprint(*(part[start : start + _FRAMES] for part in print_))
            keys = word_index.places(some) + start
            keys = keys[_crowded(keys)]
            keys = keys[kind[keys >> 32] != kind[place]]
            for twin, by, votes in _most_votes(keys):
                pairs.append(
                    Candidate(place, twin, by, votes)
                    if place < twin
                    else Candidate(twin, place, -by, votes)
                )
    return pairs


def _thinned(frames: int) -> NDArray[np.int64]:
    """Return which frames of a recording go into the index."""
    step = max(1, -(-frames // MOST_WORDS))
    return np.arange(0, frames, step)


def _most_votes(places: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Yield source, shift and votes of each source that has enough of them at one shift."""
    keys, votes = np.unique(places, return_counts=True)
    enough = np.flatnonzero(votes >= LEAST_VOTES)
    best: dict[int, tuple[int, int]] = {}
    for at in enough[np.argsort(votes[enough])]:
        best[int(keys[at] >> 32)] = (int((keys[at] & (2**32 - 1)) - 2**31), int(votes[at]))
    for twin, (frames, count) in best.items():
        yield twin, frames, count


def _crowded(places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which places may be there `LEAST_VOTES` times, so that few are left to be sorted.

    They are counted in bins that several may share, a few bins a place: none is missed.
    """
    bits = len(places).bit_length() + 2
    # The upper bits of the product depend on all of the number (Knuth's multiplicative hashing).
    mixed = places.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bins = (mixed >> np.uint64(64 - bits)).astype(np.int64)
    return np.asarray(np.bincount(bins)[bins] >= LEAST_VOTES)


def compare(paths: tuple[str, str], shift: int) -> float:
    """Return how alike two recordings are where they are most alike.

    Excerpts of one recording need not have all in common, so that each half second is compared by
    itself (a shorter recording as a whole).

    Parameters
    ----------
    paths : pair of str
    shift : int
        Frames by which the audio comes later in the first one. Two frames more or less are tried.

    Returns
    -------
    float
        Highest absolute correlation of the samples; 0 if they share too little, or if it is below
        the bound for as little as they share.
    """
    one, other = (sosfilt(_BAND, audio_io.read(path)) for path in paths)
    start, slack = shift * HOP, 2 * HOP
    one, other = np.pad(one[max(start, 0) :], slack), other[max(-start, 0) :]
    shared = min(len(one) - 2 * slack, len(other))
    if shared < SHORTEST:
        return 0.0
    length = min(STRETCH, shared)
    starts = range(0, shared - length + 1, length // 2)
    alike = max(
        _correlation(one[at : at + length + 2 * slack], other[at : at + length]) for at in starts
    )
    return alike if length == STRETCH or alike >= LEAST_ALIKE_SHORT else 0.0


def _correlation(outer: NDArray[np.float64], inner: NDArray[np.float64]) -> float:
    """Return the highest absolute correlation of `inner` with a stretch of `outer`."""
    inner = inner - inner.mean()
    products = correlate(outer, inner, mode="valid", method="fft")
    sums, squares = (np.concatenate([[0.0], np.cumsum(outer**power)]) for power in (1, 2))
    total, energy = (part[len(inner) :] - part[: -len(inner)] for part in (sums, squares))
    scale = np.sqrt(np.maximum(energy - total**2 / len(inner), 0) * np.sum(inner**2))
    audible = scale > SILENT * len(inner)
    return float(np.max(np.abs(products[audible]) / scale[audible], initial=0.0))


def find(
    prints: Path | str,
    sources: pd.DataFrame,
    workers: int = 1,
    apart: Sequence[str] = ("split",),
) -> pd.DataFrame:
    """Find the recordings that hold the same audio and differ in split, or in what `apart` names.

    Parameters
    ----------
    prints : path
        From :func:`write_fingerprints`.
    sources : DataFrame
        source_id, path and what `apart` names.
    workers : int
        Processes that compare.
    apart : sequence of str
        As for :func:`candidates`.

    Returns
    -------
    DataFrame
        one, other (source_id), what `apart` names of both (split and other_split, say), shift_ms
        (by which the audio comes later in the first), votes, alike; the most alike first.
    """
    pairs = candidates(prints, sources, workers, apart)
    paths = sources["path"].tolist()
    files = [(paths[pair.one], paths[pair.other]) for pair in pairs]
    shifts = [pair.shift for pair in pairs]
    with ProcessPoolExecutor(workers) as pool:
        run = partial(pool.map, chunksize=8) if workers > 1 else map
        alike = list(run(compare, files, shifts))
    same = [(pair, how) for pair, how in zip(pairs, alike, strict=True) if how >= LEAST_ALIKE]
    one = sources[["source_id", *apart]].rename(columns={"source_id": "one"})
    other = one.add_prefix("other_").rename(columns={"other_one": "other"})
    sides = [
        side.iloc[[pair[place] for pair, _ in same]].reset_index(drop=True)
        for place, side in enumerate([one, other])
    ]
    table = pd.concat(sides, axis=1).assign(
        shift_ms=[pair.shift * HOP // 16 for pair, _ in same],
        votes=[pair.votes for pair, _ in same],
        alike=[how for _, how in same],
    )
    return table.sort_values("alike", ascending=False, kind="stable", ignore_index=True)
