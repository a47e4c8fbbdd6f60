"""Operations of a training step with their derivatives, in few kernels.

The derivatives are those that autograd would find; what is saved is that fewer tensors are written
and read. A frozen weight has no gradient, and the gradients of adapters are added to those that
are there, as those of several batches to a step are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..fused import add_norm, kernels_for, swiglu


@dataclass(frozen=True)
class Adapter:
    """LoRA beside some outputs of a product (Hu et al., 2021, arXiv 2106.09685).

    Attributes
    ----------
    outputs : slice
        Which outputs it adds to.
    ranks : slice
        Which of the inner values are its own.
    up : tensor, (outputs, rank)
        B, in the type that is computed in.
    up_gradient : float32 tensor, (outputs, rank)
    scale : float
    """

    outputs: slice
    ranks: slice
    up: Tensor
    up_gradient: Tensor
    scale: float


@dataclass(frozen=True)
class Adapters:
    """All LoRA that reads one input: inner values are one product, with one dropout.

    Attributes
    ----------
    down : tensor, (sum of ranks, inputs)
        A of each, one below the other.
    down_gradient : float32 tensor, (sum of ranks, inputs)
    parts : sequence of Adapter
    dropout : float
    """

    down: Tensor
    down_gradient: Tensor
    parts: Sequence[Adapter]
    dropout: float


class AdaptedProduct(torch.autograd.Function):
    """``x W' + b`` and, for each adapter, ``scale dropout(x) A' B'``.

    Parameters
    ----------
    x : tensor, (rows, inputs)
    anchor : tensor
        Any that wants a gradient, so that the first product has one; it gets none.
    weight : tensor, (outputs, inputs), frozen
    bias : tensor, (outputs,), or None, frozen
    adapters : Adapters or None
    training : bool
        Whether inputs of adapters drop out.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        anchor: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        adapters: Adapters | None,
        training: bool,
    ) -> Tensor:
        """Return the sum, (rows, outputs)."""
        y = F.linear(x, weight, bias)
        ctx.weight, ctx.adapters = weight, adapters
        if adapters is None:
            return y
        mask = None
        if training and adapters.dropout:
            x, mask = torch.native_dropout(x, adapters.dropout, True)
        inner = x @ adapters.down.T
        for part in adapters.parts:
            y[:, part.outputs].addmm_(inner[:, part.ranks], part.up.T, alpha=part.scale)
        ctx.save_for_backward(x, mask, inner)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, None, None, None, None, None]:
        """Return the gradient of the input; those of adapters are added to theirs."""
        wanted = ctx.needs_input_grad[0]
        dx = dy @ ctx.weight if wanted else None
        if ctx.adapters is None:
            return dx, None, None, None, None, None
        adapters: Adapters = ctx.adapters
        x, mask, inner = ctx.saved_tensors
        d_inner = torch.empty_like(inner)
        for part in adapters.parts:
            own = dy[:, part.outputs]
            d_inner[:, part.ranks].addmm_(own, part.up, beta=0, alpha=part.scale)
            part.up_gradient.add_(own.T @ inner[:, part.ranks], alpha=part.scale)
        adapters.down_gradient.add_(d_inner.T @ x)
        if dx is None:
            pass
        elif mask is None:
            dx.addmm_(d_inner, adapters.down)
        else:
            _add_dropped(dx, d_inner @ adapters.down, mask, 1 / (1 - adapters.dropout))
        return dx, None, None, None, None, None


def _add_dropped(dx: Tensor, d: Tensor, mask: Tensor, scale: float) -> None:
    if own := _kernels(dx):
        own.add_dropped(dx, d, mask, scale)
    else:
        dx.addcmul_(d, mask, value=scale)


class SwiGLU(torch.autograd.Function):
    """``silu(gate) up`` of both side by side, (rows, 2 x width) to (rows, width)."""

    @staticmethod
    def forward(ctx: Any, both: Tensor) -> Tensor:
        """Return the product, (rows, width)."""
        ctx.save_for_backward(both)
        return swiglu(both)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> Tensor:
        """Return the gradient of both halves."""
        (both,) = ctx.saved_tensors
        if own := _kernels(both):
            return own.swiglu_backward(both, dy)  # type: ignore[no-any-return]
        gate, up = both.chunk(2, dim=-1)
        d_both = torch.empty_like(both)
        d_gate, d_up = d_both.chunk(2, dim=-1)
        torch.mul(dy, F.silu(gate), out=d_up)
        torch.ops.aten.silu_backward.grad_input(dy * up, gate, grad_input=d_gate)
        return d_both


class AddedNorm(torch.autograd.Function):
    """``hidden + added`` and its RMS norm, whose weight is frozen."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, added: Tensor | None, weight: Tensor, epsilon: float
    ) -> tuple[Tensor, Tensor]:
        """Return the sum and the norm, each (rows, width)."""
        total, normed = add_norm(hidden, added, weight, epsilon)
        if added is None:
            total = hidden.view_as(hidden)
        ctx.epsilon, ctx.alone = epsilon, added is None
        ctx.save_for_backward(total, weight)
        return total, normed

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, d_total: Tensor, d_normed: Tensor
    ) -> tuple[Tensor, Tensor | None, None, None]:
        """Return the gradient of both, which is the same."""
        total, weight = ctx.saved_tensors
        if own := _kernels(total):
            dx = own.norm_backward(total, weight, ctx.epsilon, d_total, d_normed)
        else:
            x, d = total.float(), d_normed.float() * weight.float()
            scale = (x.square().mean(-1, keepdim=True) + ctx.epsilon).rsqrt()
            along = (d * x).mean(-1, keepdim=True) * scale.square()
            dx = ((d - x * along) * scale + d_total.float()).to(total.dtype)
        return dx, None if ctx.alone else dx, None, None


class LaidOut(torch.autograd.Function):
    """Rotated queries and keys, and values, of each row, laid out clip by clip.

    Parameters
    ----------
    mixed : tensor, (rows, width)
        Queries, keys and values, one behind the other.
    rotation : pair of tensors, each (rows, 1, width of a head)
        Cosines and signed sines.
    heads : pair of int
        Of queries, and of keys.
    layout : dict of tensors
        Of a batch.

    Returns
    -------
    tuple of three tensors, (clips, places, heads, width of a head)
    """

    @staticmethod
    def forward(
        ctx: Any,
        mixed: Tensor,
        rotation: tuple[Tensor, Tensor],
        heads: tuple[int, int],
        layout: dict[str, Any],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values at their places."""
        ctx.rotation, ctx.heads, ctx.layout = rotation, heads, layout
        laid = layout["laid"]
        if own := _kernels(mixed):
            return own.lay(mixed, rotation, laid, *heads)  # type: ignore[no-any-return]
        width = rotation[0].shape[-1]
        queries, keys = heads
        # The product's own result, which nothing else reads.
        _rotate(mixed, *rotation, queries + keys)
        parts = mixed.split([queries * width, keys * width, keys * width], dim=-1)
        query, key, value = (
            part.index_select(0, laid.flatten()).view(*laid.shape, -1, width) for part in parts
        )
        return query, key, value

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dq: Tensor, dk: Tensor, dv: Tensor) -> tuple[Tensor, None, None, None]:
        """Return the gradient of each row."""
        packed, shared = ctx.layout["packed"], ctx.layout["shared"]
        if own := _kernels(dq):
            return own.gather((dq, dk, dv), ctx.rotation, packed, shared), None, None, None
        dy = torch.cat([part.flatten(2) for part in (dq, dk, dv)], dim=-1)
        dx = dy.flatten(0, 1).index_select(0, packed)
        if shared:
            # Summed in float32: one row of each clip.
            dx[:shared] = dy[:, :shared].sum(0, dtype=torch.float32).to(dx.dtype)
        cosine, signed_sine = ctx.rotation
        _rotate(dx, cosine, -signed_sine, sum(ctx.heads))
        return dx, None, None, None


def _rotate(mixed: Tensor, cosine: Tensor, signed_sine: Tensor, heads: int) -> None:
    """Rotate the first so many heads in place: x cos + (-x2, x1) sin, the sign in the sine."""
    width = cosine.shape[-1]
    part = mixed[:, : heads * width].unflatten(-1, (heads, width))
    turned = part.roll(width // 2, -1)
    part.mul_(cosine).addcmul_(turned, signed_sine)


def _kernels(tensor: Tensor) -> Any:
    """Return the Triton kernels of a training step, or None where they do not run."""
    if kernels_for(tensor) is None:
        return None
    from . import triton_kernels

    return triton_kernels


class PackedRows(torch.autograd.Function):
    """Rows of what stands at their places, (clips, places, width) to (rows, width)."""

    @staticmethod
    def forward(ctx: Any, laid: Tensor, layout: dict[str, Tensor]) -> Tensor:
        """Return what stands at the place of each row."""
        ctx.layout = layout
        return laid.reshape(-1, laid.shape[-1]).index_select(0, layout["packed"])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None]:
        """Return the gradient at each place: none where no row looks."""
        laid = ctx.layout["laid"]
        dx = dy.index_select(0, laid.flatten()).mul_(ctx.layout["own"])
        return dx.view(*laid.shape, -1), None
