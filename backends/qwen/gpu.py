"""Check for a GPU that torch can use, and for room for a checkpoint, without importing torch.

A parse of the workflow asks, before any job; torch would take seconds to say it.
"""

import ast
import math
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from speechdt.gpu_driver import Driver, asked_driver, driver_version

from .adapter_files import base_shapes
from .quantization import BITS

__all__ = ["Driver", "check_device", "check_memory", "driver_version", "judged", "why_unusable"]
LEAST_DRIVERS = {12: "525", 13: "580"}
"""First driver that runs what is built for a major version of CUDA (NVIDIA, CUDA compatibility,
minor version compatibility)."""
NO_DEVICE = 100
"""CUDA_ERROR_NO_DEVICE of cuInit."""
QUANTIZED = "language_model.layers."
"""Where the weights are that a quantisation makes smaller."""
BYTES = {"gpu": 2, "cpu": 4}
"""Of a weight: bfloat16 on a GPU, float32 on a CPU."""
ROOM = 0.9
"""Share of a GPU's free memory that weights may take; the rest is for what is computed."""
JOB = re.compile(rb"/scripts/tmp\w+\.\w+\.py")
"""What stands in the command of a job: a script as Snakemake calls it."""
ELSEWHERE = "SPEECHDT_MEMORY_ELSEWHERE"
"""Variable of jobs, and of what sends jobs to other machines: what is free here does not matter."""


@dataclass(frozen=True)
class Build:
    """Build of torch: its version and the GPU platform that it is for.

    Attributes
    ----------
    version : str
    cuda : str or None
        Version of CUDA; None without.
    other : str or None
        Version of another maker's platform (ROCm, XPU).
    """

    version: str
    cuda: str | None
    other: str | None = None


def check_device(device: str, model: str) -> None:
    """Raise a ValueError of one line where `auto` would put a real checkpoint on the CPU.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
    model : str
        Hub id or folder of a checkpoint that is no nano model.
    """
    why = why_unusable() if device == "auto" else None
    if why is not None:
        raise ValueError(
            f"device 'auto' finds no GPU for model '{model}': {why}; `device: cpu` runs it on the "
            "CPU all the same, slowly and in float32, and `device: cuda` is for jobs that run on "
            "another machine than this"
        )


def check_memory(
    device: str,
    model: str,
    revision: str | None = None,
    quantization: str | None = None,
    gpus: int = 1,
) -> None:
    """Raise a ValueError of one line where the memory cannot hold a checkpoint, or not now.

    What is free is compared before any job starts, and what jobs of this workflow hold counts as
    free: they give it back. Jobs themselves compare with all that there is; what is free of it is
    seen when they load. Nothing is said of weights that are not here yet, nor of GPUs of another
    machine.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
    model : str
        Hub id or folder.
    revision : str or None
        Branch, tag or commit on the hub.
    quantization : {"nf4", "int8"} or None
    gpus : int
        How many a job claims.
    """
    needed = _needed(model, revision, quantization)
    if needed is None:
        return
    if device == "cpu" or (device == "auto" and why_unusable() is not None):
        import psutil

        memory = psutil.virtual_memory()
        ours = partial(_held_by_jobs, psutil)
        _check_room(
            model, needed * BYTES["cpu"], memory.total, memory.available, ours, "the RAM has"
        )
        return
    driver = _driver()
    if isinstance(driver, Driver) and driver.memory:
        total = sum(sorted(driver.memory)[-gpus:])
        free = None if not driver.free else int(_most_free(driver, gpus) * ROOM)
        alone = min(gpus, len(driver.memory)) == 1
        what = "the GPU has" if alone else f"{gpus} GPUs have"
        _check_room(model, needed * BYTES["gpu"], total, free, lambda: 0, what)


def _needed(model: str, revision: str | None, quantization: str | None) -> int | None:
    """Return how many weights of 16 bits a checkpoint takes, None if it is not here."""
    shapes = base_shapes(model, revision)
    if shapes is None:
        return None
    count = sum(math.prod(shape) for shape in shapes.values())
    if quantization is not None:
        layers = sum(math.prod(s) for name, s in shapes.items() if name.startswith(QUANTIZED))
        count -= int(layers * (1 - BITS[quantization] / 16))
    return count


def _most_free(driver: Driver, gpus: int) -> int:
    """Return the bytes that are free, or will be, of the GPUs that have most."""
    free = list(driver.free)
    for gpu, process, size in driver.held:
        if is_job(process):
            free[gpu] += size
    return sum(sorted(free)[-gpus:])


def is_job(process: int) -> bool:
    """Say whether a process is a job of a workflow of this user."""
    try:
        command = Path(f"/proc/{process}/cmdline")
        return command.stat().st_uid == os.getuid() and bool(JOB.search(command.read_bytes()))
    except OSError:
        return False


def _held_by_jobs(psutil: ModuleType) -> int:
    """Return the bytes of RAM that jobs hold."""
    total = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            total += process.memory_info().rss if is_job(process.pid) else 0
    return total


def _check_room(
    model: str, needed: int, total: int, free: int | None, ours: Callable[[], int], where: str
) -> None:
    takes = f"the weights of model '{model}' take {needed / 1e9:.1f} GB"
    less = (
        "`quantization: nf4` takes a third of that (Qwen2-Audio), and a server (backend 'served') "
        "nothing here"
    )
    if needed > total:
        raise ValueError(
            f"{takes}, and {where} {total / 1e9:.1f} GB: claim more of them (`gpus:`), or take "
            f"another machine; {less}"
        )
    if free is None or os.environ.get(ELSEWHERE) or needed <= free:
        return
    free += ours()
    if needed > free:
        raise ValueError(
            f"{takes}, and {where} {free / 1e9:.1f} GB free for them now, of "
            f"{total / 1e9:.1f}: end what holds the rest; {less}"
        )


@cache
def _driver() -> Driver | str | None:
    return asked_driver()


@cache  # variants, searches, adapters and checks all ask
def why_unusable() -> str | None:
    """Return why torch can use no GPU here, or None if it can or that cannot be told."""
    build = torch_build()
    if build is None or build.other or build.cuda is None:
        return judged(build, None)
    return judged(build, _driver())


def judged(build: Build | None, driver: Driver | str | None) -> str | None:
    """Return why a torch can use no GPU, or None.

    Parameters
    ----------
    build : Build or None
        None if torch is not installed, which its import will say.
    driver : Driver, str or None
        What it says, or why it says nothing; None if there is none.
    """
    if build is None or build.other:
        return None
    if build.cuda is None:
        mps = ", and Apple's MPS is not supported" * (sys.platform == "darwin")
        return f"torch {build.version} is built without CUDA{mps}"
    if driver is None:
        return "there is no NVIDIA driver"
    if isinstance(driver, str):
        return driver
    major = int(build.cuda.split(".")[0])
    if driver.cuda[0] < major:
        name = f"driver {driver.version}".strip()
        least = LEAST_DRIVERS.get(major)
        needs = f", and {least} or newer is needed" if least else ""
        return (
            f"torch {build.version} is built for CUDA {build.cuda}, and the NVIDIA {name} is too "
            f"old: it runs CUDA up to {driver.cuda[0]}.{driver.cuda[1]}{needs}"
        )
    if driver.gpus == 0 and driver.error in (0, NO_DEVICE):
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        return "none is visible" + ("" if hidden is None else f", CUDA_VISIBLE_DEVICES='{hidden}'")
    return f"the NVIDIA driver fails with error {driver.error}" if driver.error else None


def torch_build() -> Build | None:
    """Read what the installed torch was built for, from the file that says so; None without."""
    spec = find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        return None
    file = Path(spec.submodule_search_locations[0]) / "version.py"
    fields = {}
    for line in ast.parse(file.read_bytes()).body:
        targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
        value = getattr(line, "value", None)
        if isinstance(targets[0], ast.Name) and isinstance(value, ast.Constant):
            fields[targets[0].id] = value.value
    return Build(fields["__version__"], fields.get("cuda"), fields.get("hip") or fields.get("xpu"))
