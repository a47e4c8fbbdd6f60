"""Needs of jobs: the main memory that a cluster's scheduler is asked for.

Measured on the default run, and doubled: a process that reads audio takes 0.2 GiB, one that has
loaded torch and a nano model 1.25 GiB. A checkpoint is read through main memory, whole at worst.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PROCESS_MB = 500
"""One process that reads audio or computes figures."""
TORCH_MB = 3000
"""One process that has loaded torch and a model of a few million parameters."""
PER_PARAMETER = 2  # bytes in bf16
MARGIN = 1.2


def worker_memory(wildcards: object, threads: int) -> int:
    """Return the MB of a job that reads audio in as many processes as it has threads."""
    return PROCESS_MB * (1 + threads)


def checkpoint_memory(model: object) -> int:
    """Return the MB that reading a checkpoint takes.

    Parameters
    ----------
    model : object
        A folder, whose weights are counted; a hub id, whose name tells its size
        ("Qwen2-Audio-7B-Instruct"); anything else takes nothing.
    """
    name = str(model or "")
    weights = list(Path(name).glob("*.safetensors")) if name and Path(name).is_dir() else []
    if weights:
        return round(MARGIN * sum(file.stat().st_size for file in weights) / 1e6)
    sizes = re.findall(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)B\b", name)
    return round(MARGIN * PER_PARAMETER * 1000 * float(sizes[0])) if sizes else 0


def model_memory(
    options_of: Callable[[object], Mapping[str, Any]],
) -> Callable[[object], int]:
    """Return a function from wildcards to the MB of a job with one detector.

    Parameters
    ----------
    options_of : callable
        From wildcards to what the detector is built with, or the settings of its training.
    """
    return lambda wildcards: TORCH_MB + checkpoint_memory(options_of(wildcards).get("model"))


def base_memory(
    options_of: Callable[[object], Mapping[str, Any]],
) -> Callable[[object], int]:
    """Return the same for a job that folds adapters into one model in turn, and keeps a copy."""
    return lambda wildcards: TORCH_MB + 2 * checkpoint_memory(options_of(wildcards).get("model"))


def listening_memory(
    options_of: Callable[[object], Mapping[str, Any]],
) -> Callable[[object, int], int]:
    """Return the same for a job with a detector in each of several processes."""
    of_model = model_memory(options_of)
    return lambda wildcards, threads: of_model(wildcards) + PROCESS_MB * threads
