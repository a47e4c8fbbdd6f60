"""Weights of a checkpoint on their way to a GPU while the modules that run them are imported.

transformers copies each tensor from where its file is mapped into memory, at about 6 GB/s;
through pinned buffers of several threads it is ten times that, and takes no longer than the import
of transformers itself.
"""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from .adapter_files import NOT_LOADED, weight_files

THREADS = 8
CHUNK = 32 * 2**20
"""Bytes that a thread copies at a time."""
ROOM = 3
"""Times that a GPU must have room for the weights: some models merge tensors while they load."""
GENERATION = "generation_config.json"

Tensors = dict[str, Tensor]
Reading = Future[Tensors | None]


def begin(model: str, device: torch.device, dtype: torch.dtype) -> Reading | None:
    """Begin to read the weights of a local checkpoint.

    Parameters
    ----------
    model : str
        Folder.
    device : torch.device
    dtype : torch.dtype
        In which they are to be on the device.

    Returns
    -------
    Future of dict of str to tensor, or None
        Weights by their names in the files; None, now or then, where transformers had better read
        them: on a CPU, from a hub, of another type, without room. It also says what is wrong with
        files that cannot be read.
    """
    folder = Path(model)
    if device.type != "cuda" or not (folder / GENERATION).is_file():
        return None
    pool = ThreadPoolExecutor(1)
    reading = pool.submit(_read_if_roomy, folder, device, dtype)
    pool.shutdown(wait=False)
    return reading


def _read_if_roomy(folder: Path, device: torch.device, dtype: torch.dtype) -> Tensors | None:
    try:
        tensors = mapped(folder)
        needed = ROOM * sum(tensor.nbytes for tensor in tensors.values())
        if {tensor.dtype for tensor in tensors.values()} != {dtype}:
            return None
        if needed > torch.cuda.mem_get_info(device)[0]:
            return None
        return copied(tensors, device)
    except Exception:  # whatever it is, transformers meets it again and says it
        return None


def mapped(folder: Path) -> Tensors:
    """Return the weights of a checkpoint that are loaded, where their files are in memory."""
    tensors: Tensors = {}
    for file in weight_files(str(folder)):
        with safe_open(file, framework="pt") as opened:
            names = [name for name in opened.keys() if not name.startswith(NOT_LOADED)]  # noqa: SIM118
            tensors |= {name: opened.get_tensor(name) for name in names}
    return tensors


def copied(tensors: Tensors, device: torch.device) -> Tensors:
    """Return copies of tensors on a device, made by several threads."""
    copies = {name: torch.empty_like(own, device=device) for name, own in tensors.items()}
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    copy = _Copying(device)
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        parts = [
            pool.submit(copy, source, target)
            for name, own in tensors.items()
            for source, target in zip(_chunks(own), _chunks(copies[name]), strict=True)
        ]
        for part in parts:
            part.result()
    return copies


def _chunks(tensor: Tensor) -> Iterator[Tensor]:
    """Yield the bytes of a contiguous tensor, a chunk at a time."""
    return iter(tensor.reshape(-1).view(torch.uint8).split(CHUNK))


class _Copying(threading.local):
    """Copies bytes to a device through a buffer and a stream of each thread."""

    def __init__(self, device: torch.device):
        on_gpu = device.type == "cuda"
        self._buffer = torch.empty(CHUNK, dtype=torch.uint8, pin_memory=on_gpu)
        self._stream = torch.cuda.Stream(device) if on_gpu else None

    def __call__(self, source: Tensor, target: Tensor) -> None:
        buffer = self._buffer[: len(source)]
        buffer.copy_(source)
        with torch.cuda.stream(self._stream):
            target.copy_(buffer, non_blocking=True)
        if self._stream is not None:
            self._stream.synchronize()
