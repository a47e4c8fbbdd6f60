"""Check for a GPU that torch can use, and for room for a checkpoint, without importing torch.

A parse of the workflow asks, before any job; torch would take seconds to say it.
"""

import ast
import math
import os
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

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


@dataclass(frozen=True)
class Build:
    """What torch was built for.

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
    device: str, model: str, revision: str | None = None, quantization: str | None = None
) -> None:
    """Raise a ValueError of one line where no GPU, or the RAM, can ever hold a checkpoint.

    What is free of it, only the job can say, which also needs room to compute. Nothing is said of
    weights that are not here yet, nor of GPUs of another machine.
    """
    shapes = base_shapes(model, revision)
    if shapes is None:
        return
    count = sum(math.prod(shape) for shape in shapes.values())
    if quantization is not None:
        # In weights of 16 bits: what is quantised counts for less.
        layers = sum(math.prod(s) for name, s in shapes.items() if name.startswith(QUANTIZED))
        count -= int(layers * (1 - BITS[quantization] / 16))
    on_cpu = device == "cpu" or (device == "auto" and why_unusable() is not None)
    if on_cpu:
        import psutil

        _check_room(model, count * BYTES["cpu"], psutil.virtual_memory().total, "the memory has")
        return
    driver = _driver()
    if isinstance(driver, Driver) and driver.memory:
        gpus = "the GPU has" if len(driver.memory) == 1 else "the GPUs together have"
        _check_room(model, count * BYTES["gpu"], sum(driver.memory), gpus)


def _check_room(model: str, needed: int, there: int, where: str) -> None:
    if needed > there:
        raise ValueError(
            f"the weights of model '{model}' take {needed / 1e9:.1f} GB, and {where} "
            f"{there / 1e9:.1f} GB"
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
        known = f"driver {driver.version}".strip()
        least = LEAST_DRIVERS.get(major)
        needs = f", and {least} or newer is needed" if least else ""
        return (
            f"torch {build.version} is built for CUDA {build.cuda}, and the NVIDIA {known} is too "
            f"old: it runs CUDA up to {driver.cuda[0]}.{driver.cuda[1]}{needs}"
        )
    if driver.gpus == 0 and driver.error in (0, NO_DEVICE):
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        return "none is visible" + ("" if hidden is None else f", CUDA_VISIBLE_DEVICES='{hidden}'")
    return f"the NVIDIA driver fails with error {driver.error}" if driver.error else None


def torch_build() -> Build | None:
    """Read what the installed torch was built for, from the file that says so; None without."""
    found = find_spec("torch")
    if found is None or not found.submodule_search_locations:
        return None
    file = Path(found.submodule_search_locations[0]) / "version.py"
    said = {}
    for line in ast.parse(file.read_bytes()).body:
        targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
        value = getattr(line, "value", None)
        if isinstance(targets[0], ast.Name) and isinstance(value, ast.Constant):
            said[targets[0].id] = value.value
    return Build(said["__version__"], said.get("cuda"), said.get("hip") or said.get("xpu"))
