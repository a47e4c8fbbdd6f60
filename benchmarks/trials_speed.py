"""Speed of rendering, against a plain loop of soundfile and scipy with the same output.

The loop reads both recordings of each trial, draws the noise by scipy, mixes, sets the peak and
writes one FLAC file a trial, as the plan's script would. It makes the first thousand trials; the
library's must be the same to one step of 16 bits. The library writes cell files of all trials, for
each number of them: is the time linear, and does the memory stay? Processor time is given beside
the time on the clock, for machines that others use as well.

    python benchmarks/trials_speed.py --trials 10000 30000 100000 --workers 2
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.fft
import scipy.signal
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from own_process import measured_alone

from speechdt import seeds
from speechdt.audio.highpass import CUTOFF_HZ, ORDER, PAD
from speechdt.audio.io import from_flac_bytes
from speechdt.audio.mixing import PEAK
from speechdt.audio.noise import EXPONENTS, LOWEST_HZ, SPEECH_SHAPED, SPEECH_SPECTRUM
from speechdt.corpus import index, split
from speechdt.trials import items, rendering
from speechdt.trials.cells import read_batches
from speechdt.trials.grid import Grid

GRID = Grid(snr_db=[-5, 0, 5, 10, 20], duration_ms=[200, 300, 500, 1000], clean_ms=1000)
SEED = 20251019
ROOT = Path(__file__).resolve().parents[1]
SLOW_TRIALS = 1000
BUTTERWORTH = scipy.signal.butter(ORDER, CUTOFF_HZ, "highpass", fs=16_000, output="sos")


def sources() -> pd.DataFrame:
    listed = index.read_corpora([{"kind": "folder", "path": ROOT / "corpus"}])
    usable, _ = index.index(listed, min(GRID.duration_ms), workers=2)
    return split.assign(usable, GRID.nested_ms, seed=SEED)


def above_50_hz(path: str) -> np.ndarray:
    """Read a recording in the plainest way."""
    samples, _ = soundfile.read(path)
    pad = min(PAD, len(samples) - 1)
    return scipy.signal.sosfiltfilt(BUTTERWORTH, samples, padtype="even", padlen=pad)


def density(colour: str, hertz: np.ndarray) -> np.ndarray:
    """Return the power density of a noise at some frequencies, up to a factor."""
    if colour != SPEECH_SHAPED:
        return hertz ** -EXPONENTS[colour]
    levels = np.array(list(SPEECH_SPECTRUM.values()))
    lowest = round(10 * np.log10(min(SPEECH_SPECTRUM) / 1000))  # thirds of an octave from 1 kHz
    band = np.clip(np.round(10 * np.log10(hertz / 1000)) - lowest, 0, len(levels) - 1).astype(int)
    return 10 ** ((levels[band] - band) / 10)  # widths grow as the centres do


def plain_trial(item: dict, cell, out: Path) -> np.ndarray:
    """Make one trial in the plainest way, and write it."""
    target = above_50_hz(item["path"])[item["start"] : item["start"] + item["length"]]
    if item["background"] == "recording":
        background = above_50_hz(item["background_path"])
        start = item["background_start"]
        background = background[start : start + item["length"]]
    else:
        rng = seeds.generator(SEED, "noise", item["item_id"])
        spectrum = scipy.fft.rfft(rng.standard_normal(item["length"]))
        hertz = scipy.fft.rfftfreq(item["length"], 1 / 16_000)
        gain = np.zeros(len(hertz))
        in_band = hertz >= LOWEST_HZ
        gain[in_band] = np.sqrt(density(item["background"], hertz[in_band]))
        background = scipy.fft.irfft(spectrum * gain, item["length"])
    length = cell.duration_ms * 16
    first = (item["length"] - length) // 2
    target, background = target[first : first + length], background[first : first + length]
    ratio = np.mean(target**2) / np.mean(background**2) / 10 ** (cell.snr_db / 10)
    clip = target + np.sqrt(ratio) * background
    clip *= PEAK / np.abs(clip).max()
    soundfile.write(out, clip, 16_000, subtype="PCM_16")
    return clip


def processor_time() -> float:
    """Return the processor seconds of this process and of the workers that have ended."""
    return sum(
        resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what the work returns, seconds on the clock, and processor seconds."""
    start, used = time.perf_counter(), processor_time()
    done = work()
    return done, time.perf_counter() - start, processor_time() - used


def plain_loop(chosen: pd.DataFrame, folder: Path) -> dict[str, np.ndarray]:
    """Make the first trials one by one; return the clips by trial_id."""
    records = chosen.to_dict("records")
    cells = GRID.noisy
    todo = [(records[n // len(cells)], cells[n % len(cells)]) for n in range(SLOW_TRIALS)]
    clips = {}
    for item, cell in todo:
        name = f"{item['item_id']}-{cell.name}"
        clips[name] = plain_trial(item, cell, folder / f"{name}.flac")
    return clips


def library(chosen: pd.DataFrame, folder: Path, workers: int) -> None:
    """Render into cell files."""
    files = {cell.name: folder / f"{cell.name}.parquet" for cell in GRID.noisy}
    rendering.write(chosen, GRID.noisy, files, seed=SEED, level="peak", workers=workers)


def check_same(clips: dict[str, np.ndarray], folder: Path) -> float:
    """Return the largest difference to the plain loop's clips, in steps of 16 bits."""
    largest, compared = 0.0, 0
    for cell in GRID.noisy:
        for trials_ in read_batches(folder / f"{cell.name}.parquet", ["trial_id", "audio"]):
            for name, flac in trials_.itertuples(index=False):
                if name in clips:
                    difference = np.abs(from_flac_bytes(flac) - clips[name]).max() * 2**15
                    largest, compared = max(largest, float(difference)), compared + 1
    assert compared == len(clips), f"{compared} of {len(clips)} trials found"
    assert largest <= 1.1, f"clips differ by {largest:.2f} steps"
    return largest


def measure(count: int, workers: int) -> dict[str, float]:
    """Choose, render and check `count` trials in this process."""
    per_class = count // len(GRID.noisy) // 2
    recordings = sources()
    chosen, choosing, _ = timed(
        lambda: items.crossed(recordings, "test", per_class, GRID, seed=SEED, least_active=0.7)
    )
    made = len(chosen) * len(GRID.noisy)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, seconds, used = timed(lambda: library(chosen, folder, workers))
        size = sum(file.stat().st_size for file in folder.iterdir())
        clips, plain_seconds, plain_used = timed(lambda: plain_loop(chosen, folder))
        difference = check_same(clips, folder)
    return {
        "trials": made,
        "choosing_s": choosing,
        "trials/s": made / seconds,
        "plain/s": SLOW_TRIALS / plain_seconds,
        "times": made / seconds * plain_seconds / SLOW_TRIALS,
        "cpu_ms": 1000 * used / made,
        "plain_cpu_ms": 1000 * plain_used / SLOW_TRIALS,
        "cpu_times": plain_used / SLOW_TRIALS / used * made,
        "difference_steps": difference,
        "bytes/trial": size / made,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "worker_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one, arguments.workers)))
        return
    for count in arguments.trials:
        result = measured_alone(__file__, "--one", count, "--workers", arguments.workers)
        print("  ".join(f"{key} {value:,.4g}" for key, value in result.items()), flush=True)


if __name__ == "__main__":
    main()
