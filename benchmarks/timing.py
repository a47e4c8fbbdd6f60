"""Clips, timers and the memory-bandwidth floor, shared by benchmarks of language models."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stock_qwen import RATE

from backends.qwen.loading import weight_bytes
from speechdt.detectors.stages import synchronize

Clips = list[NDArray[np.float32]]


def make_clips(count: int, milliseconds: int, seed: int = 0) -> Clips:
    """Return noise with a tone, float32 in [-1, 1]."""
    rng = np.random.default_rng(seed)
    samples = RATE * milliseconds // 1000
    tones = np.sin(np.outer(rng.uniform(0.05, 0.5, count), np.arange(samples)))
    noise = rng.normal(size=tones.shape)
    return list((0.3 * tones + 0.1 * noise).clip(-1, 1).astype(np.float32))


def seconds(work: Callable[[], Any]) -> float:
    synchronize()
    start = time.perf_counter()
    work()
    synchronize()
    return time.perf_counter() - start


def rate(work: Callable[[], Any], clips: int, at_least_s: float) -> float:
    """Return clips/s of something that does `clips` of them, repeated for a while."""
    work()
    total, runs = 0.0, 0
    while total < at_least_s or runs < 2:
        total += seconds(work)
        runs += 1
    return runs * clips / total


def milliseconds(times: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(np.asarray(times) * 1000, [50, 95])
    return {"p50_ms": float(p50), "p95_ms": float(p95)}


def copy_bandwidth(device: torch.device) -> float:
    """Return bytes/s that a copy within the device's memory reads and writes."""
    size = (2 if device.type == "cuda" else 1) * 2**28
    source = torch.randn(size, device=device)
    target = torch.empty_like(source)
    target.copy_(source)
    times = [seconds(lambda: target.copy_(source)) for _ in range(10)]
    return 2 * source.numel() * source.element_size() / float(np.median(times))


def bytes_read(model: torch.nn.Module) -> int:
    """Return the bytes of all weights but the embeddings (and but eyes, which hear nothing)."""
    eyes = [module for name, module in model.named_modules() if name.split(".")[-1] == "visual"]
    return weight_bytes(model, without_embeddings=True) - sum(
        weight.numel() * weight.element_size() for eye in eyes for weight in eye.parameters()
    )
