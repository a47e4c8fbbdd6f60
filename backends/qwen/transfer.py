"""Copies of small tensors on a device, without waiting for its computations."""

from typing import Any

import torch
from torch import Tensor


def on_device(values: Any, device: torch.device) -> Tensor:
    """Return a copy of values on a device.

    A copy out of pageable memory, as that of an index that is a list, waits until a GPU has done
    all that it was given before, and the GPU then for the next batch.

    Parameters
    ----------
    values : tensor on the CPU, or what `torch.as_tensor` takes
    device : torch.device
    """
    own = torch.as_tensor(values)
    if device.type == "cuda" and not torch.cuda.is_current_stream_capturing():
        own = own.pin_memory()
    return own.to(device, non_blocking=True)
