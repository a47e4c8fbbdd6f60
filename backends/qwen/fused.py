"""Small operations of a decoder layer, each as one kernel on a GPU.

Between two products a layer adds, normalises, rotates and gates: a dozen kernels, each of which
takes longer to start than to run for one clip and reads all of a batch again for many. Where
Triton cannot compile (it needs a C compiler) and on a CPU, the same is done by torch's own.
"""

import warnings
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

Rotation = tuple[Tensor, Tensor]
"""Cosines and signed sines, (clips or 1, tokens, 1, width of a head)."""


@cache
def _kernels() -> Any:
    """Return the Triton kernels, or None with a warning where they do not run."""
    try:
        from . import triton_kernels

        probe = torch.ones(1, 64, device="cuda", dtype=torch.bfloat16)
        triton_kernels.swiglu(probe)
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        warnings.warn(f"no Triton kernels, which is slower: {reason}", stacklevel=3)
        return None
    return triton_kernels


def attention_kernels(device: torch.device) -> AbstractContextManager[None]:
    """Leave cuDNN's attention out on a GPU: it plans for 0.1 s whenever a batch has a new shape."""
    if device.type != "cuda":
        return nullcontext()
    others = (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)
    return sdpa_kernel(list(others))


def prepare(device: torch.device) -> None:
    """Compile what is needed on a device, outside of any CUDA graph."""
    if device.type == "cuda":
        _kernels()


def kernels_for(tensor: Tensor) -> Any:
    """Return the module of Triton kernels for a tensor's device, or None.

    Triton launches on the current device: of a model that is spread over several GPUs, layers on
    the others go without.
    """
    if tensor.device.type != "cuda" or tensor.device.index != torch.cuda.current_device():
        return None
    return _kernels()


def add_norm(
    hidden: Tensor, delta: Tensor | None, weight: Tensor, epsilon: float
) -> tuple[Tensor, Tensor]:
    """Return ``hidden + delta`` and its RMS norm.

    Parameters
    ----------
    hidden, delta : tensors, (..., width), or None for no delta
    weight : tensor, (width,)
    epsilon : float
    """
    if kernels := kernels_for(hidden):
        return kernels.add_norm(hidden, delta, weight, epsilon)
    if delta is not None:
        hidden = hidden + delta
    return hidden, F.rms_norm(hidden, weight.shape, weight, epsilon)


def add_layer_norm(
    hidden: Tensor, delta: Tensor | None, norm: nn.LayerNorm
) -> tuple[Tensor, Tensor]:
    """Return ``hidden + delta`` (None: `hidden`) and its layer norm, (..., width)."""
    if (kernels := kernels_for(hidden)) and hidden.dtype == norm.weight.dtype:
        return kernels.add_norm(hidden, delta, norm.weight, norm.eps, norm.bias)
    if delta is not None:
        hidden = hidden + delta
    return hidden, norm(hidden)


def swiglu(both: Tensor) -> Tensor:
    """Return ``silu(gate) up`` of both side by side, (..., 2 x width) to (..., width)."""
    if kernels := kernels_for(both):
        return kernels.swiglu(both)
    gate, up = both.chunk(2, dim=-1)
    return F.silu(gate) * up


def attention_inputs(
    mixed: Tensor, rotation: Rotation, past: tuple[Tensor, Tensor] | None, values: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return rotated queries, and keys and values behind those of the past.

    Parameters
    ----------
    mixed : tensor, (clips, tokens, heads, width of a head)
        Queries, keys and values.
    rotation : pair of tensors
    past : pair of tensors, (clips or 1, key heads, past tokens, width of a head), or None
    values : int
        Key heads.

    Returns
    -------
    tuple of tensors, (clips, heads or key heads, tokens or past tokens + tokens, width of a head)
    """
    if kernels := kernels_for(mixed):
        return kernels.attention_inputs(mixed, rotation, past, values)
    heads = rotated(mixed[:, :, :-values], rotation).transpose(1, 2)
    value = mixed[:, :, -values:].transpose(1, 2)
    return (heads[:, :-values], *behind(past, heads[:, -values:], value))


def rotated(heads: Tensor, rotation: Rotation) -> Tensor:
    """Rotate each pair of (i, i + half): x cos + (-x2, x1) sin, with the sign in the sine."""
    cosine, signed_sine = rotation
    return torch.addcmul(heads * cosine, heads.roll(heads.shape[-1] // 2, -1), signed_sine)


def behind(past: tuple[Tensor, Tensor] | None, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Return keys and values behind those of the past."""
    if past is None:
        return key, value
    key = torch.cat([past[0].expand(len(key), -1, -1, -1), key], dim=2)
    return key, torch.cat([past[1].expand(len(value), -1, -1, -1), value], dim=2)
