"""How long does the index of a large corpus take, and how much memory?

The recordings are excerpts of 5 s of the embedded ones, each with a little noise of its own so that
no two are the same, as WAV of 16 bits in a folder without manifest. A process of its own then does
what the first job of a run does: it lists them, reads each once, and writes the index. A second
index finds all of it kept, as a run does that adds one recording.

    python benchmarks/index_speed.py --recordings 12500 50000 --workers 2
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
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from own_process import measured_alone

from speechdt.audio import io as audio_io
from speechdt.audio.rate import SAMPLE_RATE
from speechdt.corpus.index import index, read_corpora

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
LENGTH = 5 * SAMPLE_RATE
A_FOLDER = 100
"""Recordings of a group."""


def write(folder: Path, count: int) -> None:
    """Write so many recordings, half of them SPEECH, from the embedded ones of each class."""
    rng = np.random.default_rng(1)
    kinds = {"speech": "speech", "music": "nonspeech/music"}
    material = {
        kind: np.concatenate([audio_io.read(path) for path in sorted(files(CORPUS / place))])
        for kind, place in kinds.items()
    }
    for number in range(count):
        kind = list(kinds)[number % 2]
        path = folder / kinds[kind] / f"g{number // A_FOLDER}" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        start = rng.integers(0, len(material[kind]) - LENGTH)
        clip = material[kind][start : start + LENGTH] + rng.normal(0, 1e-3, LENGTH)
        soundfile.write(path, np.clip(clip, -1, 1), SAMPLE_RATE, subtype="PCM_16")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def read(folder: Path, workers: int) -> None:
    """Index a folder twice, and print what it took."""
    corpora = [{"kind": "folder", "path": folder / "audio"}]
    start = time.perf_counter()
    usable, rejected = index(read_corpora(corpora), 1000, workers, folder / "kept.sqlite")
    usable.to_parquet(folder / "index.parquet", index=False)
    first = time.perf_counter() - start
    start = time.perf_counter()
    index(read_corpora(corpora), 1000, workers, folder / "kept.sqlite")
    own, child = (
        resource.getrusage(who).ru_maxrss / 2**20
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    result = {
        "usable": len(usable),
        "rejected": len(rejected),
        "seconds": round(first, 1),
        "recordings_s": round(len(usable) / first),
        "again_s": round(time.perf_counter() - start, 1),
        "peak_gib": round(own, 2),
        "peak_worker_gib": round(child, 2),
    }
    print(json.dumps(result))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, nargs="+", default=[12_500, 50_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        read(given.read, given.workers)
        return
    for count in given.recordings:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder, "audio"), count)
            found = measured_alone(__file__, "--read", folder, "--workers", given.workers)
        print(f"{count:,} recordings: {json.dumps(found)}", flush=True)


if __name__ == "__main__":
    main()
