"""Processes that train together: one by default, one for each GPU under torchrun."""

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

PATIENCE = timedelta(minutes=30)
"""How long one process waits for another: evaluations on a large dev split take their time."""


@dataclass(frozen=True)
class Processes:
    """This process among those that train together.

    Attributes
    ----------
    count, number : int
        How many there are, and which one this is.
    """

    count: int = 1
    number: int = 0

    @classmethod
    def join(cls, wanted: int, device: str) -> "Processes":
        """Meet the other processes that torchrun started.

        Parameters
        ----------
        wanted : int
            How many there are to be.
        device : {"auto", "cpu", "cuda"}
            Processes on CPUs talk through gloo, those on GPUs through NCCL; each takes the GPU of
            its local number.

        Raises
        ------
        ValueError
            If another number of processes was started.
        """
        count = int(os.environ.get("WORLD_SIZE", "1"))
        if count != wanted:
            raise ValueError(f"{wanted} processes are to train together, and {count} were started")
        if count == 1:
            return cls()
        on_gpu = device != "cpu" and torch.cuda.is_available()
        if on_gpu:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if on_gpu else "gloo", timeout=PATIENCE)
        return cls(count, dist.get_rank())

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files."""
        return self.number == 0

    def shared(self, value: Any) -> Any:
        """Return the first process's value to all of them."""
        if self.count == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box)
        return box[0]

    def summed(self, values: Tensor, device: torch.device) -> Tensor:
        """Return the sum over all processes, on the CPU."""
        if self.count == 1:
            return values
        there = values.to(device)
        dist.all_reduce(there)
        return there.cpu()

    def wait(self) -> None:
        """Wait until all processes have come this far."""
        if self.count > 1:
            dist.barrier()

    def leave(self) -> None:
        """End the conversation."""
        if self.count > 1:
            dist.destroy_process_group()
