"""Transformer layers of both audio towers (Whisper's encoder layers)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from .fused import add_layer_norm
from .weights import merge


@dataclass(frozen=True)
class EncoderLayer:
    """One layer: attention and feed-forward, each behind a layer norm and around a shortcut.

    Built from the stock layer by :meth:`of`; queries, keys and values are one product.
    """

    stock: Any
    qkv: tuple[Tensor, Tensor | None]
    heads: int

    @classmethod
    def of(cls, stock: nn.Module) -> "EncoderLayer":
        """Take over a stock encoder layer of Qwen2-Audio or Qwen3-Omni."""
        attention = stock.self_attn
        projections = [attention.q_proj, attention.k_proj, attention.v_proj]
        return cls(stock, merge(projections), attention.num_heads)

    def __call__(
        self, hidden: Tensor, added: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Apply the layer.

        Parameters
        ----------
        hidden : tensor, (clips, frames, width)
        added : tensor, shape of `hidden`, or None
            What the layer before adds to it: the sum is taken with the norm behind it.
        mask : tensor, (clips, 1, frames or 1, frames), or None
            Added to the attention scores.

        Returns
        -------
        hidden, added : tensors, (clips, frames, width)
        """
        stock = self.stock
        if hidden.device != self.qkv[0].device:
            hidden = hidden.to(self.qkv[0].device)
            added = None if added is None else added.to(hidden.device)
            mask = None if mask is None else mask.to(hidden.device)
        hidden, inner = add_layer_norm(hidden, added, stock.self_attn_layer_norm)
        mixed = F.linear(inner, *self.qkv)
        query, key, value = mixed.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        out = stock.self_attn.out_proj(attended.transpose(1, 2).flatten(-2))
        hidden, inner = add_layer_norm(hidden, out, stock.final_layer_norm)
        return hidden, stock.fc2(stock.activation_fn(stock.fc1(inner)))


@dataclass(frozen=True)
class StockEncoderLayer:
    """The same layer through the stock projections: these are trained, and may be PEFT's."""

    stock: Any

    @classmethod
    def of(cls, stock: nn.Module) -> "StockEncoderLayer":
        """Wrap a stock encoder layer of Qwen2-Audio or Qwen3-Omni."""
        return cls(stock)

    def __call__(
        self, hidden: Tensor, added: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Apply the layer, see :class:`EncoderLayer`."""
        stock, attention = self.stock, self.stock.self_attn
        hidden = hidden if added is None else hidden + added
        inner = stock.self_attn_layer_norm(hidden)
        query, key, value = (
            project(inner).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
            for project in (attention.q_proj, attention.k_proj, attention.v_proj)
        )
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        hidden = hidden + attention.out_proj(attended.transpose(1, 2).flatten(-2))
        inner = stock.activation_fn(stock.fc1(stock.final_layer_norm(hidden)))
        return hidden, stock.fc2(inner)


def encode(
    layers: Iterable[EncoderLayer | StockEncoderLayer], hidden: Tensor, mask: Tensor | None
) -> Tensor:
    """Apply all layers in turn."""
    added: Tensor | None = None
    for layer in layers:
        hidden, added = layer(hidden, added, mask)
    return hidden if added is None else hidden + added
