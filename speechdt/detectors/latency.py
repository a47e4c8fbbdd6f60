"""Latency of a detector: one clip at a time by stage, and many at a time."""

import os
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from speechdt.audio.io import from_flac_bytes
from speechdt.detectors.contract import Detector
from speechdt.detectors.machine_load import OthersLoad, load_before
from speechdt.detectors.stages import on_gpu, recording, synchronize
from speechdt.progress import progress as progress_bar
from speechdt.trials.clips import read_places, with_audio

WARM_UP = 10
"""Clips played before the clock starts."""
BATCHES = (1, 8, 32, 128)
"""Batch sizes tried for the throughput."""


def spread(cells: Sequence[Path | str], count: int) -> pd.DataFrame:
    """Choose the trials to time: as many of each duration, evenly over its cells.

    Parameters
    ----------
    cells : sequence of Path
        Cell files.
    count : int
        How many, if there are so many.

    Returns
    -------
    DataFrame
        duration_ms, snr_db, trial_id, audio (FLAC); durations in turn.
    """
    trials = read_places(cells, ["duration_ms", "snr_db", "trial_id"])
    durations = trials.groupby("duration_ms")
    least, over = divmod(count, durations.ngroups)
    chosen = []
    for place, (_, rows) in enumerate(durations):
        share = min(least + (place < over), len(rows))
        even = rows.iloc[np.linspace(0, len(rows) - 1, share).round().astype(int)]
        chosen.append(even.assign(turn=range(share)))
    in_turn = pd.concat(chosen).sort_values(["turn", "duration_ms"], kind="stable")
    return with_audio(in_turn.drop(columns="turn").reset_index(drop=True), cells)


def measure(
    build: Callable[[], Detector], clips: Sequence[bytes], before: float | None = None
) -> dict[str, Any]:
    """Time a detector on clips.

    Parameters
    ----------
    build : callable
        Builds the detector; timed as ``load_s``.
    clips : sequence of bytes
        FLAC clips, of all durations alike.
    before : float or None
        Cores that others have just kept at work; None has the machine watched for a second.

    Returns
    -------
    dict
        load_s; first_ms (the first clip, cold); latency: p50_ms, p95_ms, mean_ms of the whole way
        from FLAC bytes to score, batch 1, warm; clip_ms, the same clip by clip; stages: p50_ms and
        p95_ms of decode, of each stage that the detector marks, and of what it does outside of them
        (other); cpu_ms: the same of the time that processors were at work for this process, None
        where a GPU is; load: cores of the machine, and how many of them others kept at work
        before and while it was timed; clips timed; throughput_clips_s and its batch;
        peak_memory_mib; peak_gpu_memory_mib.
    """
    before = load_before() if before is None else before
    with OthersLoad() as during:
        timed = _measure(build, clips)
    load = {"cores": os.cpu_count() or 1, "others_before": before, "others_during": during.cores}
    return timed | {"load": load}


def _measure(build: Callable[[], Detector], clips: Sequence[bytes]) -> dict[str, Any]:
    _forget_peaks()
    start = time.perf_counter()
    detector = build()
    synchronize()
    load = time.perf_counter() - start
    first = _play(detector, clips[0])
    for clip in clips[:WARM_UP]:
        _play(detector, clip)
    timed = [
        _play(detector, clip) for clip in progress_bar(clips, desc="timing clips", unit="clip")
    ]
    stages = sorted({stage for times in timed for stage in times} - {"total", "cpu"})
    batch, throughput = best_throughput(detector, [from_flac_bytes(clip) for clip in clips])
    return {
        "load_s": load,
        "first_ms": first["total"] * 1000,
        "latency": summary([times["total"] for times in timed]),
        "clip_ms": [times["total"] * 1000 for times in timed],
        "stages": {name: summary([times.get(name, 0.0) for times in timed]) for name in stages},
        "cpu_ms": None if _elsewhere(detector) else summary([times["cpu"] for times in timed]),
        "clips": len(clips),
        "throughput_clips_s": throughput,
        "throughput_batch": batch,
        "peak_memory_mib": _peak_memory_mib(),
        "peak_gpu_memory_mib": _peak_gpu_memory_mib(),
    }


def _elsewhere(detector: Detector) -> bool:
    """Say whether what a detector computes is not done by processors for this process."""
    return on_gpu() or bool(getattr(detector, "elsewhere", False))


def summary(seconds: ArrayLike) -> dict[str, float]:
    """Return median, 95th percentile and mean, in ms."""
    values = np.asarray(seconds) * 1000
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50_ms": float(p50), "p95_ms": float(p95), "mean_ms": float(values.mean())}


def added(members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the latency of an ensemble whose members hear every clip one after the other.

    Parameters
    ----------
    members : sequence of mapping
        Content of ``latency/{variant}.json`` of each, timed on the same clips.

    Returns
    -------
    dict
        As from :func:`measure`, without stages: the times of each clip, loads and memories are
        summed, and so are the inverses of throughputs.
    """
    totals = np.sum([member["clip_ms"] for member in members], axis=0)
    return {
        "load_s": sum(member["load_s"] for member in members),
        "first_ms": sum(member["first_ms"] for member in members),
        "latency": summary(totals / 1000),
        "clip_ms": totals.tolist(),
        "stages": {},
        "cpu_ms": _added_cpu([member["cpu_ms"] for member in members]),
        "load": _highest([member["load"] for member in members]),
        "clips": members[0]["clips"],
        "throughput_clips_s": 1 / sum(1 / member["throughput_clips_s"] for member in members),
        "throughput_batch": min(member["throughput_batch"] for member in members),
        "peak_memory_mib": sum(member["peak_memory_mib"] for member in members),
        "peak_gpu_memory_mib": sum(member["peak_gpu_memory_mib"] or 0 for member in members)
        or None,
        "hardware": members[0]["hardware"],
        "versions": members[0]["versions"],
    }


def _added_cpu(members: Sequence[Mapping[str, float] | None]) -> dict[str, float] | None:
    """Add up processor times, which quantiles only bound: the members hear one after the other."""
    times = [member for member in members if member is not None]
    if len(times) < len(members):
        return None
    return {name: sum(member[name] for member in times) for name in times[0]}


def _highest(loads: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: max(load[name] for load in loads) for name in loads[0]}


def best_throughput(
    detector: Detector, clips: Sequence[NDArray[np.float32]], seconds: float = 0.5
) -> tuple[int, float]:
    """Return the batch size with the most clips/s, and these; about `seconds` for each size."""
    rates = {}
    for size in BATCHES:
        if size <= len(clips):
            rates[size] = _rate(detector, clips, size, seconds)
    best = max(rates, key=lambda size: rates[size])
    return best, rates[best]


def _rate(
    detector: Detector, clips: Sequence[NDArray[np.float32]], size: int, seconds: float
) -> float:
    batches = [clips[i : i + size] for i in range(0, len(clips) - size + 1, size)]
    detector.score(batches[0])
    synchronize()
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        for batch in batches:
            detector.score(batch)
            done += len(batch)
            if time.perf_counter() - start >= seconds:
                break
    synchronize()
    return done / (time.perf_counter() - start)


def _play(detector: Detector, clip: bytes) -> dict[str, float]:
    """Return the seconds that one clip takes, by stage, other and total."""
    with recording() as clock:
        start, at_work = time.perf_counter(), time.process_time()
        samples = from_flac_bytes(clip)
        decoded = time.perf_counter()
        detector.score([samples])
        synchronize()
        end, worked = time.perf_counter(), time.process_time()
        stages = clock.take()
    other = max(end - decoded - sum(stages.values()), 0.0)
    whole = {"total": end - start, "cpu": worked - at_work}
    return {"decode": decoded - start, **stages, "other": other, **whole}


def _forget_peaks() -> None:
    """Forget what other detectors have taken in this process, as far as systems can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.reset_peak_memory_stats()


def _peak_memory_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def _peak_gpu_memory_mib() -> float | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return float(torch.cuda.max_memory_allocated()) / 2**20
