"""Language model for one answer: shared prefix, one forward pass, last position alone.

Layers are those of Qwen2 (Qwen2-Audio) and of Qwen3-MoE (Qwen3-Omni): grouped-query attention
with rotary positions, RMS norms, SwiGLU or a mixture of experts. The weights are the stock
model's; what differs is that queries, keys and values are one product and so are gate and up,
that text in front of the audio is computed once, and that the last layer computes only the
position that answers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .fused import Rotation, add_norm, attention_inputs, behind, prepare, rotated, swiglu
from .question_tree import Order
from .transfer import on_device
from .weights import additive_mask, merge

Past = list[tuple[Tensor, Tensor]]
"""Keys and values of each layer, (1, heads, tokens, width of a head)."""
LAST = slice(-1, None)
ROWS = 16384
"""Rows of the head that are turned into float32 at a time."""


@dataclass(frozen=True)
class DecoderLayer:
    """One layer, built from the stock layer by :meth:`of`.

    Of quantised weights, and of those with an adapter beside them, nothing is merged.
    """

    stock: Any
    qkv: tuple[Tensor, Tensor | None] | None
    gate_up: Tensor | None

    @classmethod
    def of(cls, stock: nn.Module) -> "DecoderLayer":
        """Take over a stock decoder layer of Qwen2 or Qwen3-MoE."""
        attention, mlp = stock.self_attn, stock.mlp
        gate_up = None
        if type(attention.q_proj) is not nn.Linear:
            return cls(stock, None, None)
        if hasattr(mlp, "gate_proj"):
            gate_up, _ = merge([mlp.gate_proj, mlp.up_proj])
        return cls(stock, merge([attention.q_proj, attention.k_proj, attention.v_proj]), gate_up)

    @property
    def device(self) -> torch.device:
        """Where the layer's weights are."""
        return self.stock.input_layernorm.weight.device

    def __call__(
        self,
        hidden: Tensor,
        added: Tensor | None,
        rotation: Rotation,
        mask: Tensor,
        past: tuple[Tensor, Tensor] | None,
        only: slice | Tensor | None = None,
    ) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        """Apply the layer.

        Parameters
        ----------
        hidden : tensor, (clips, tokens, width)
        added : tensor, shape of `hidden`, or None
            What the layer before adds to it: the sum is taken with the norm behind it.
        rotation : pair of tensors
        mask : tensor, (clips or 1, 1, tokens, past tokens + tokens)
            Added to the attention scores.
        past : pair of tensors or None
            Keys and values of the tokens in front, shared by all clips.
        only : slice, int tensor or None
            Compute these tokens alone; None: all.

        Returns
        -------
        hidden, added : tensors, (clips, computed tokens, width)
        present : pair of tensors
            Keys and values, those of `past` in front.
        """
        hidden, inner = _added_norm(hidden, added, self.stock.input_layernorm)
        query, key, value = self._projected(inner, rotation, past)
        if only is not None:
            hidden, query, mask = hidden[:, only], query[:, :, only], mask[:, :, only]
        attended = self._attended(query, key, value, mask)
        hidden, inner = _added_norm(hidden, attended, self.stock.post_attention_layernorm)
        return hidden, self._feed_forward(inner), (key, value)

    def _projected(
        self, hidden: Tensor, rotation: Rotation, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return rotated queries, and keys and values behind the past, heads before tokens."""
        attention = self.stock.self_attn
        if self.qkv is None:
            parts = [attention.q_proj(hidden), attention.k_proj(hidden), attention.v_proj(hidden)]
            mixed = torch.cat(parts, dim=-1)
        else:
            mixed = F.linear(hidden, *self.qkv)
        mixed = mixed.unflatten(-1, (-1, attention.head_dim))
        values = attention.v_proj.out_features // attention.head_dim
        if not hasattr(attention, "q_norm"):
            return attention_inputs(mixed, rotation, past, values)
        heads, value = mixed[:, :, :-values], mixed[:, :, -values:]
        query, key = heads[:, :, :-values], heads[:, :, -values:]
        heads = torch.cat([_norm(query, attention.q_norm), _norm(key, attention.k_norm)], dim=2)
        heads = rotated(heads, rotation).transpose(1, 2)
        return (heads[:, :-values], *behind(past, heads[:, -values:], value.transpose(1, 2)))

    def _attended(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        groups = query.shape[1] // key.shape[1]
        if groups > 1:
            key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.stock.self_attn.o_proj(attended.transpose(1, 2).flatten(-2))

    def _feed_forward(self, hidden: Tensor) -> Tensor:
        mlp = self.stock.mlp
        if self.gate_up is None:
            return mlp(hidden)
        both = F.linear(hidden, self.gate_up)
        if "silu" in type(mlp.act_fn).__name__.lower():
            return mlp.down_proj(swiglu(both))
        gate, up = both.chunk(2, dim=-1)
        return mlp.down_proj(mlp.act_fn(gate) * up)


class Decoder:
    """The layers, the embeddings and two rows of the head.

    Parameters
    ----------
    stock : transformers.Qwen2Model or Qwen3OmniMoeThinkerTextModel
    head : nn.Linear
        Head of the language model, (width, vocabulary).
    answers : tuple of int
        Ids of the answer tokens.
    """

    def __init__(self, stock: nn.Module, head: nn.Linear, answers: tuple[int, int]):
        self.stock = stock
        self.layers = [DecoderLayer.of(layer) for layer in stock.layers]
        # In float32: bf16 logits would be rounded to 1/16 before their difference is taken.
        self.answer_rows = head.weight.detach()[list(answers)].float()
        self.head = head
        self.whole = False
        self.window = _attention_window(stock.config)
        prepare(self.device)

    @property
    def device(self) -> torch.device:
        """Where the embeddings are."""
        return self.stock.embed_tokens.weight.device

    @property
    def answers_on(self) -> torch.device:
        """Where the logits of answers are."""
        return self.stock.norm.weight.device

    @contextmanager
    def whole_vocabulary(self) -> Iterator[None]:
        """Within it, :meth:`answer_logits` also sums over all tokens that could answer."""
        self.whole = True
        try:
            yield
        finally:
            self.whole = False

    def embed(self, ids: Sequence[int]) -> Tensor:
        """Return the embeddings of some text, (1, tokens, width)."""
        return self.stock.embed_tokens(
            on_device(torch.tensor([ids], dtype=torch.long), self.device)
        )

    def remember(self, ids: Sequence[int]) -> Past | None:
        """Return the keys and values of text that stands in front of every clip; None if empty."""
        if not ids:
            return None
        _, past = self._run(self.embed(ids), None, answer=False)
        return past

    def next_token(self, ids: Sequence[int], past: Past | None) -> tuple[Tensor, Past]:
        """Return the logits of what follows some text, float32 (vocabulary,), and what it leaves.

        Parameters
        ----------
        ids : sequence of int
        past : list of pairs of tensors, or None
            Keys and values of the text before it.
        """
        hidden, present = self._run(self.embed(ids), past, answer=False)
        last = hidden[:, -1:].to(self.answers_on)
        logits = self.head(_norm(last, self.stock.norm))[0, -1]
        return logits.float().to(self.device), present

    def answer_logits(
        self,
        embedded: Tensor,
        past: Past | None,
        padding: Sequence[int] | None = None,
        order: Order | None = None,
    ) -> Tensor:
        """Return the logits of the two answers behind the last token, or behind several.

        Parameters
        ----------
        embedded : tensor, (clips, tokens, width)
        past : list of pairs of tensors, or None
            From :meth:`remember`.
        padding : sequence of int, (clips,), or None
            How many of a clip's first tokens are padding; None if there is none.
        order : Order or None
            Which tokens follow which, and behind which ones is answered; None: each follows those
            before it, and the last is answered behind.

        Returns
        -------
        float32 tensor, (clips, 2), or (clips, answers, 2) if there is an order
            With :meth:`whole_vocabulary` 3 instead of 2: the last is the log of the sum of the
            exponentials of the logits of all tokens.
        """
        length = _length(past)
        tokens = length + (embedded.shape[1] if order is None else order.longest)
        if tokens > self.window:
            raise ValueError(f"{tokens} tokens do not fit the window of {self.window}")
        hidden, _ = self._run(embedded, past, padded=_padded(padding, embedded), order=order)
        last = (hidden[:, -1] if order is None else hidden).to(self.answers_on)
        last = _norm(last, self.stock.norm).float()
        answers = last @ self.answer_rows.to(last.device).T
        if self.whole:
            answers = torch.cat([answers, self._log_total(last)[..., None]], -1)
        return answers

    def _log_total(self, last: Tensor) -> Tensor:
        """Return the log of the softmax's denominator, (clips,) or (clips, answers)."""
        parts = [
            (last @ rows.to(last.device).float().T).logsumexp(-1)
            for rows in self.head.weight.detach().split(ROWS)
        ]
        return torch.stack(parts).logsumexp(0)

    def _run(
        self,
        hidden: Tensor,
        past: Past | None,
        *,
        padded: Tensor | None = None,
        order: Order | None = None,
        answer: bool = True,
    ) -> tuple[Tensor, Past]:
        length = _length(past)
        depths, sees, only = _laid_out(hidden, order)
        rotation = self._rotation(hidden, length + depths, padded)
        mask = _mask(sees, length, padded, hidden.dtype)
        present: Past = []
        added: Tensor | None = None
        for i, layer in enumerate(self.layers):
            if hidden.device != layer.device:
                hidden, mask = hidden.to(layer.device), mask.to(layer.device)
                added = None if added is None else added.to(layer.device)
                rotation = (rotation[0].to(layer.device), rotation[1].to(layer.device))
            is_last = answer and i == len(self.layers) - 1
            before = past[i] if past else None
            at = only.to(layer.device) if isinstance(only, Tensor) else only
            hidden, added, own = layer(
                hidden, added, rotation, mask, before, at if is_last else None
            )
            if not answer:
                present.append(own)
        return hidden if added is None else hidden + added, present

    def _rotation(self, hidden: Tensor, places: Tensor, padded: Tensor | None) -> Rotation:
        """Return what rotates queries and keys; tokens are counted from the end of the padding."""
        places = places[None]
        if padded is not None:
            places = (places - padded[:, None]).clamp(min=0)
        rotary = self.stock.rotary_emb
        if hasattr(rotary, "mrope_section"):
            # Time, height and width: all the same where there is nothing to see.
            places = places.expand(3, -1, -1)
        cosine, sine = rotary(hidden, places)
        first, second = sine.chunk(2, dim=-1)
        return cosine[:, :, None], torch.cat([-first, second], dim=-1)[:, :, None]


def _norm(hidden: Tensor, norm: nn.Module) -> Tensor:
    return F.rms_norm(hidden, norm.weight.shape, norm.weight, norm.variance_epsilon)


def _added_norm(hidden: Tensor, added: Tensor | None, norm: nn.Module) -> tuple[Tensor, Tensor]:
    return add_norm(hidden, added, norm.weight, norm.variance_epsilon)


def _length(past: Past | None) -> int:
    return 0 if past is None else past[0][0].shape[2]


def _padded(padding: Sequence[int] | None, like: Tensor) -> Tensor | None:
    """Return the padding of each clip as a tensor; None if there is none."""
    if padding is None or max(padding) == 0:
        return None
    return on_device(padding, like.device)


def _laid_out(hidden: Tensor, order: Order | None) -> tuple[Tensor, Tensor, slice | Tensor]:
    """Return depths, who sees whom, and where is answered; without an order, one behind another."""
    if order is not None:
        return order.depths, order.sees, order.answers
    places = torch.arange(hidden.shape[1], device=hidden.device)
    return places, places <= places[:, None], LAST


def _mask(sees: Tensor, length: int, padded: Tensor | None, dtype: torch.dtype) -> Tensor:
    """Let each token see the past, and what it follows but for the padding behind the past."""
    allowed = F.pad(sees, (length, 0), value=True)[None]
    if padded is not None:
        keys = torch.arange(allowed.shape[-1], device=sees.device)
        is_padding = (keys >= length) & (keys < length + padded[:, None])
        allowed = allowed & ~is_padding[:, None]
    return additive_mask(allowed[:, None], dtype)


def _attention_window(config: Any) -> int:
    """Return how many tokens every layer can look back."""
    sliding = "sliding_attention" in (getattr(config, "layer_types", None) or [])
    return config.sliding_window if sliding else config.max_position_embeddings
