"""Check for a GPU that torch can use, without importing torch.

A parse of the workflow asks, before any job; torch would take seconds to say it. Run as a script,
this file asks the driver alone, in a process of its own: a driver that is asked leaves threads.
"""

import ast
import ctypes
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

LEAST_DRIVERS = {12: "525", 13: "580"}
"""First driver that runs what is built for a major version of CUDA (NVIDIA, CUDA compatibility,
minor version compatibility)."""
NO_DEVICE = 100
"""CUDA_ERROR_NO_DEVICE of cuInit."""
PATIENCE_S = 30
DRIVER_FILE = Path("/proc/driver/nvidia/version")


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


@dataclass(frozen=True)
class Driver:
    """What the NVIDIA driver says.

    Attributes
    ----------
    cuda : tuple of int
        Major and minor version of CUDA up to which it runs programs.
    gpus : int
        How many it lets this process see.
    error : int
        Of cuInit; 0 is none.
    version : str
        Its own version, '' if it cannot be told.
    """

    cuda: tuple[int, int]
    gpus: int
    error: int = 0
    version: str = ""


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


@cache  # variants, searches, adapters and checks all ask
def why_unusable() -> str | None:
    """Return why torch can use no GPU here, or None if it can or that cannot be told."""
    build = torch_build()
    if build is None or build.other or build.cuda is None:
        return judged(build, None)
    return judged(build, _asked_driver())


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
        return f"torch {build.version} is built without CUDA"
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


def _asked_driver() -> Driver | str | None:
    """Ask the driver in another process."""
    try:
        told = subprocess.run(
            [sys.executable, "-I", "-S", __file__],
            capture_output=True,
            check=True,
            timeout=PATIENCE_S,
        )
        answer = json.loads(told.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return "the NVIDIA driver does not answer"
    if answer is None:
        return None
    thousands = answer["cuda"]  # 12080 is 12.8
    cuda = (thousands // 1000, thousands % 1000 // 10)
    return Driver(cuda, answer["gpus"], answer["error"], driver_version())


def driver_version(file: Path = DRIVER_FILE) -> str:
    """Return the version of the kernel's NVIDIA module, or ''."""
    found = re.search(r"\b\d{3,}\.\d+(\.\d+)?\b", file.read_text()) if file.is_file() else None
    return found[0] if found else ""


def _ask_driver() -> dict[str, int] | None:
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    version, gpus = ctypes.c_int(), ctypes.c_int()
    library.cuDriverGetVersion(ctypes.byref(version))
    error = library.cuInit(0)
    if not error:
        library.cuDeviceGetCount(ctypes.byref(gpus))
    return {"cuda": version.value, "gpus": gpus.value, "error": error}


if __name__ == "__main__":
    print(json.dumps(_ask_driver()))
