"""Copies of tensors, on their GPU where that has room for them."""

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

ROOM = 3
"""Copies that a GPU must have room for before it keeps one: the rest is for batches."""


def copies(weights: Sequence[Tensor]) -> list[Tensor]:
    """Return copies of weights, where they are if there is room for them, or in main memory."""
    if roomy(weights):
        try:
            return [weight.clone() for weight in weights]
        except torch.OutOfMemoryError:  # a process may be allowed less than there is
            torch.cuda.empty_cache()
    return [torch.empty_like(weight, device="cpu").copy_(weight) for weight in weights]


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
