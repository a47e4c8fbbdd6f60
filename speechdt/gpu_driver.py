"""What the NVIDIA driver says of itself and its GPUs, without importing torch.

Run as a script, this file asks the driver alone, in a process of its own: a driver that is asked
leaves threads.
"""

import ctypes
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 30
DRIVER_FILE = Path("/proc/driver/nvidia/version")


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
    memory : tuple of int
        Bytes of each GPU, all in all.
    """

    cuda: tuple[int, int]
    gpus: int
    error: int = 0
    version: str = ""
    memory: tuple[int, ...] = ()


def asked_driver() -> Driver | str | None:
    """Ask the driver in another process.

    Returns
    -------
    Driver, str or None
        What it says, or why it says nothing; None if there is none.
    """
    try:
        answered = subprocess.run(
            [sys.executable, "-I", "-S", __file__],
            capture_output=True,
            check=True,
            timeout=PATIENCE_S,
        )
        answer = json.loads(answered.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return "the NVIDIA driver does not answer"
    if answer is None:
        return None
    thousands = answer["cuda"]  # 12080 is 12.8
    cuda = (thousands // 1000, thousands % 1000 // 10)
    memory = tuple(answer["memory"])
    return Driver(cuda, answer["gpus"], answer["error"], driver_version(), memory)


def driver_version(file: Path = DRIVER_FILE) -> str:
    """Return the version of the kernel's NVIDIA module, or ''."""
    found = re.search(r"\b\d{3,}\.\d+(\.\d+)?\b", file.read_text()) if file.is_file() else None
    return found[0] if found else ""


def _ask_driver() -> dict[str, Any] | None:
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    version, gpus = ctypes.c_int(), ctypes.c_int()
    library.cuDriverGetVersion(ctypes.byref(version))
    error = library.cuInit(0)
    memory = []
    if not error:
        library.cuDeviceGetCount(ctypes.byref(gpus))
    for number in range(gpus.value):
        gpu, size = ctypes.c_int(), ctypes.c_size_t()
        library.cuDeviceGet(ctypes.byref(gpu), number)
        library.cuDeviceTotalMem_v2(ctypes.byref(size), gpu)
        memory.append(size.value)
    return {"cuda": version.value, "gpus": gpus.value, "error": error, "memory": memory}


if __name__ == "__main__":
    print(json.dumps(_ask_driver()))
