"""Versions, GPUs and memory as the NVIDIA driver reports them, without importing torch.

Run as a script, this file asks the driver alone, in a process of its own: a driver that is asked
leaves threads.
"""

import ctypes
import json
import re
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 30
MOST_PROCESSES = 256
"""On one GPU, of which it is asked who they are."""
DRIVER_FILE = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True)
class Driver:
    """Facts of the NVIDIA driver: versions, GPUs and their memory.

    Attributes
    ----------
    cuda : tuple of int
        Major and minor version of CUDA up to which it runs programs.
    gpus : int
        How many it lets this process see.
    error : int
        Of cuInit; 0 is none.
    version : str
        Its own version, '' if it is not to be had.
    memory : tuple of int
        Bytes of each GPU, all in all.
    free : tuple of int
        Bytes of each that nothing holds; empty if that cannot be told.
    held : tuple of (int, int, int)
        GPU (by its place), process and bytes of what holds some.
    """

    cuda: tuple[int, int]
    gpus: int
    error: int = 0
    version: str = ""
    memory: tuple[int, ...] = ()
    free: tuple[int, ...] = ()
    held: tuple[tuple[int, int, int], ...] = ()


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
    memory, free = tuple(answer["memory"]), tuple(answer["free"])
    held = tuple((gpu, process, size) for gpu, process, size in answer["held"])
    return Driver(cuda, answer["gpus"], answer["error"], driver_version(), memory, free, held)


def driver_version(file: Path = DRIVER_FILE) -> str:
    """Return the version of the kernel's NVIDIA module, or ''."""
    match = re.search(r"\b\d{3,}\.\d+(\.\d+)?\b", file.read_text()) if file.is_file() else None
    return match[0] if match else ""


def _ask_driver() -> dict[str, Any] | None:
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    version, gpus = ctypes.c_int(), ctypes.c_int()
    library.cuDriverGetVersion(ctypes.byref(version))
    error = library.cuInit(0)
    memory, names = [], []
    if not error:
        library.cuDeviceGetCount(ctypes.byref(gpus))
    for number in range(gpus.value):
        gpu, size = ctypes.c_int(), ctypes.c_size_t()
        library.cuDeviceGet(ctypes.byref(gpu), number)
        library.cuDeviceTotalMem_v2(ctypes.byref(size), gpu)
        memory.append(size.value)
        identity = (ctypes.c_ubyte * 16)()
        library.cuDeviceGetUuid(ctypes.byref(identity), gpu)
        names.append(f"GPU-{uuid.UUID(bytes=bytes(identity))}")
    free, held = _ask_monitor(names)
    answer = {"cuda": version.value, "gpus": gpus.value, "error": error}
    return answer | {"memory": memory, "free": free, "held": held}


class _Memory(ctypes.Structure):
    """`nvmlMemory_t`."""

    _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]


class _Process(ctypes.Structure):
    """`nvmlProcessInfo_t`, of version 3 of what lists them."""

    _fields_ = [
        ("pid", ctypes.c_uint),
        ("bytes", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    ]


def _ask_monitor(names: list[str]) -> tuple[list[int], list[tuple[int, int, int]]]:
    """Return the free bytes of each GPU, and what holds the rest; nothing if that is not told.

    The management library tells it of GPUs by name; CUDA would take some of each to do so.
    """
    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return [], []
    if library.nvmlInit_v2():
        return [], []
    free: list[int] = []
    held: list[tuple[int, int, int]] = []
    for place, name in enumerate(names):
        gpu, memory = ctypes.c_void_p(), _Memory()
        if library.nvmlDeviceGetHandleByUUID(name.encode(), ctypes.byref(gpu)):
            return [], []
        if library.nvmlDeviceGetMemoryInfo(gpu, ctypes.byref(memory)):
            return [], []
        free.append(memory.free)
        count, processes = ctypes.c_uint(MOST_PROCESSES), (_Process * MOST_PROCESSES)()
        if not library.nvmlDeviceGetComputeRunningProcesses_v3(gpu, ctypes.byref(count), processes):
            # All bits are set where the system does not tell how much a process holds.
            held += [
                (place, one.pid, one.bytes)
                for one in processes[: count.value]
                if one.bytes >> 63 == 0
            ]
    return free, held


if __name__ == "__main__":
    print(json.dumps(_ask_driver()))
