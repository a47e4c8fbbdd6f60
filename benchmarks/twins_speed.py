"""Time and memory of the search for near duplicates among as many recordings as a paper has.

Fingerprints are drawn at random: as long as those of 5, 10 and 30 s, and from frame to frame a bit
turns one time in eight. Some recordings have a twin in another split: an excerpt that begins later,
with one bit in 32 turned at random and the weak ones any way. Each number of recordings is searched
in a process of its own. What is measured is the proposal of pairs; comparing them reads audio, of
which there is none here.

    python benchmarks/twins_speed.py --recordings 12500 25000 50000 --workers 2
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from own_process import measured_alone

from speechdt.audio.fingerprint import BITS, HOP, WEAK
from speechdt.corpus import near_duplicates

SECONDS = (5, 10, 30)
TWINS = 50
LATER = 37
"""Frames by which a twin begins later."""


def drawn(rng: np.random.Generator, seconds: int) -> tuple[np.ndarray, np.ndarray]:
    frames = seconds * 16_000 // HOP
    turned = np.bitwise_and.reduce(rng.integers(0, 2**BITS, (3, frames), dtype=np.int32))
    return np.bitwise_xor.accumulate(turned), weak_bits(rng, frames)


def weak_bits(rng: np.random.Generator, frames: int) -> np.ndarray:
    first, step = rng.integers(0, BITS, (frames, 1)), rng.integers(1, 8, (frames, 1))
    return ((first + step * np.arange(WEAK)) % BITS @ (1 << 5 * np.arange(WEAK))).astype(np.int32)


def twin(rng: np.random.Generator, words: np.ndarray, weak: np.ndarray):
    words, weak = words[LATER:], weak[LATER:]
    turned = np.bitwise_and.reduce(rng.integers(0, 2**BITS, (5, len(words)), dtype=np.int32))
    for place in range(WEAK):
        turned ^= (rng.integers(0, 2, len(words)) << (weak >> 5 * place & 31)).astype(np.int32)
    return words ^ turned, weak_bits(rng, len(words))


def write(path: Path, count: int) -> pd.DataFrame:
    """Write the fingerprints of `count` recordings, and return where each belongs."""
    rng = np.random.default_rng(1)
    names = [f"{number:06d}" for number in range(count)]
    splits = np.array(["train", "train", "train", "dev", "test"])[np.arange(count) % 5]
    first = [drawn(rng, 10) for _ in range(TWINS)]
    with pq.ParquetWriter(path, near_duplicates.SCHEMA) as writer:
        for start in range(0, count, near_duplicates.ROWS):
            prints = [
                first[n] if n < TWINS
                else twin(rng, *first[count - 1 - n]) if n >= count - TWINS
                else drawn(rng, SECONDS[n % len(SECONDS)])
                for n in range(start, min(start + near_duplicates.ROWS, count))
            ]  # fmt: skip
            columns = [
                pa.array(names[start : start + near_duplicates.ROWS]),
                *(pa.array(part, pa.list_(pa.int32())) for part in zip(*prints, strict=True)),
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=near_duplicates.SCHEMA))
    return pd.DataFrame({"source_id": names, "split": splits})


def search(folder: Path, workers: int) -> None:
    """Search, and print what it took."""
    sources = pd.read_parquet(folder / "sources.parquet")
    start = time.perf_counter()
    candidates = near_duplicates.candidates(folder / "prints.parquet", sources, workers)
    seconds = time.perf_counter() - start
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    split, last = sources["split"], len(sources) - 1
    planted = {(n, last - n) for n in range(TWINS) if split[n] != split[last - n]}
    pairs = {(pair.one, pair.other) for pair in candidates if pair.shift == LATER}
    result = {
        "seconds": round(seconds, 1),
        "cpu_s": round(own.ru_utime + children.ru_utime + own.ru_stime + children.ru_stime, 1),
        "peak_gib": round(own.ru_maxrss / 2**20, 2),
        "peak_worker_gib": round(children.ru_maxrss / 2**20, 2),
        "planted": len(planted),
        "found": len(planted & pairs),
        "others": len(candidates) - len(planted & pairs),
    }
    print(json.dumps(result))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, nargs="+", default=[12_500, 25_000, 50_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.search:
        search(given.search, given.workers)
        return
    for count in given.recordings:
        with tempfile.TemporaryDirectory() as folder:
            sources = write(Path(folder, "prints.parquet"), count)
            sources.to_parquet(Path(folder, "sources.parquet"))
            figures = measured_alone(__file__, "--search", folder, "--workers", given.workers)
        print(f"{count:,} recordings: {json.dumps(figures)}", flush=True)


if __name__ == "__main__":
    main()
