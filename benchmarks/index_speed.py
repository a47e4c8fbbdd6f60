"""Time and memory of the index of a large corpus.

The recordings are excerpts of 5 s of the embedded ones, each with a little noise of its own so that
no two are the same, as WAV of 16 bits in a folder without manifest. A process of its own then does
what the first job of a run does: it lists them, reads each once, and writes the index. A second
index finds all of it kept, as a run does that adds one recording.

    python benchmarks/index_speed.py --recordings 12500 50000 --workers 2
    python benchmarks/index_speed.py --recordings 6000 --against CHECKOUT --rounds 5

With another checkout, both read the same recordings in turn; the least processor time of each is
compared, which other programs on the machine disturb less than seconds on the clock.
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


def processor_s() -> float:
    """Return the processor time of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(script: Path, folder: Path, workers: int) -> dict[str, float]:
    """Index in a process of its own, from nothing; with the processor time of all of it."""
    for kept in (*folder.glob("kept.sqlite*"), *folder.glob("*.parquet")):
        kept.unlink()
    before = processor_s()
    figures = measured_alone(str(script), "--read", folder, "--workers", workers)
    return figures | {"processor_s": round(processor_s() - before, 2)}


def compare(folder: Path, against: Path, workers: int, rounds: int) -> dict[str, float]:
    """Index with this checkout and another, in turn."""
    scripts = {"this": Path(__file__), "other": against / "benchmarks" / Path(__file__).name}
    times: dict[str, list[float]] = {name: [] for name in scripts}
    for _ in range(rounds):
        for name, script in scripts.items():
            times[name].append(measured(script, folder, workers)["processor_s"])
    least = {name: min(of) for name, of in times.items()}
    return least | {"ratio": round(least["this"] / least["other"], 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, nargs="+", default=[12_500, 50_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--against", type=Path, help="another checkout, to be compared")
    parser.add_argument("--rounds", type=int, default=3, help="of such a comparison")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        read(given.read, given.workers)
        return
    for count in given.recordings:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder, "audio"), count)
            if given.against:
                figures = compare(Path(folder), given.against, given.workers, given.rounds)
            else:
                figures = measured(Path(__file__), Path(folder), given.workers)
        print(f"{count:,} recordings: {json.dumps(figures)}", flush=True)


if __name__ == "__main__":
    main()
