"""Projections of one input fused into one matrix: fewer and larger products."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def merge(layers: Sequence[nn.Linear]) -> tuple[Tensor, Tensor | None]:
    """Stack linear layers over their outputs.

    The layers keep working: their weights become views of the stacked one, so that memory grows
    by none.

    Parameters
    ----------
    layers : sequence of nn.Linear, each (in, out_i)

    Returns
    -------
    weight : tensor, (sum of out_i, in)
    bias : tensor, (sum of out_i,), or None
        Zero for a layer without one; None if no layer has one.
    """
    weight = torch.cat([layer.weight.detach() for layer in layers])
    sizes = [layer.out_features for layer in layers]
    for layer, part in zip(layers, weight.split(sizes), strict=True):
        layer.weight.data = part
    if all(layer.bias is None for layer in layers):
        return weight, None
    biases = [
        weight.new_zeros(layer.out_features) if layer.bias is None else layer.bias.detach()
        for layer in layers
    ]
    return weight, torch.cat(biases)


def additive_mask(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn a mask of what may be seen into what attention adds to its scores.

    Parameters
    ----------
    allowed : bool tensor, (..., queries, keys)

    Returns
    -------
    tensor of `dtype`, (..., queries, keys)
        0 or the least number of `dtype` (not -inf: a row that sees nothing must not be NaN). Rows
        are 16-element aligned in memory, which fused attention kernels ask for.
    """
    keys = allowed.shape[-1]
    aligned = -(-keys // 16) * 16
    mask = torch.zeros(*allowed.shape[:-1], aligned, dtype=dtype, device=allowed.device)
    return mask[..., :keys].masked_fill_(~allowed, torch.finfo(dtype).min)
