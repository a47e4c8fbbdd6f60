"""Room on GPUs for copies of tensors."""

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

ROOM = 3
"""Copies that a GPU must have room for before it keeps one: the rest is for batches."""


def roomy(weights: Sequence[Tensor]) -> bool:
    """Say whether weights are on GPUs that have room for `ROOM` times as much."""
    sizes: Counter[torch.device] = Counter()
    for weight in weights:
        sizes[weight.device] += weight.nbytes
    return all(
        device.type == "cuda" and _free(device) >= ROOM * size for device, size in sizes.items()
    )


def _free(device: torch.device) -> int:
    """Return the bytes of a GPU that nothing holds, those among them that torch has set aside."""
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0] + unused)
