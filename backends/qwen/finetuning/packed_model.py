"""The training model on packed batches: the same loss as AnswerModel's, in fewer, larger products.

Queries, keys and values are one product, and so are gate and up, as in scoring; all adapters that
read one input share its dropout, as in the fused LoRA of its authors' code; the last layer computes
supervised rows alone. Adapters are computed in the model's type, from float32 weights that are
views of one tensor.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..encoder import EncoderLayer
from ..weights import merge
from .answer_model import AnswerModel
from .collate import IGNORED
from .operations import (
    AdaptedProduct,
    Adapter,
    Adapters,
    AddedNorm,
    LaidOut,
    PackedRows,
    SwiGLU,
)

GROUPS = (
    ("self_attn", ("q_proj", "k_proj", "v_proj")),
    ("self_attn", ("o_proj",)),
    ("mlp", ("gate_proj", "up_proj")),
    ("mlp", ("down_proj",)),
)
"""Linear layers of a decoder layer that read the same input."""


class NotPackedError(ValueError):
    """The model has what a packed one cannot compute; the message says what."""


class TrainedWeights:
    """Trained weights as views of one float32 tensor, with a copy to compute in.

    Parameters
    ----------
    parameters : sequence of float32 Parameter
        They become views.
    dtype : torch.dtype
    """

    def __init__(self, parameters: Sequence[nn.Parameter], dtype: torch.dtype):
        self.parameters = list(parameters)
        self.flat = torch.cat([weight.detach().flatten() for weight in parameters])
        self.gradient = torch.zeros_like(self.flat)
        self.low = self.flat if dtype == self.flat.dtype else self.flat.to(dtype)
        for weight, own in zip(self.parameters, self._views(self.flat), strict=True):
            weight.data = own

    def _views(self, flat: Tensor) -> list[Tensor]:
        parts = flat.split([weight.numel() for weight in self.parameters])
        return [part.view_as(w) for part, w in zip(parts, self.parameters, strict=True)]

    def views(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Return what is computed in and the gradient, of each weight."""
        return zip(self._views(self.low), self._views(self.gradient), strict=True)

    def refresh(self) -> None:
        """Take over what the optimizer did."""
        if self.low is not self.flat:
            self.low.copy_(self.flat)

    def attach(self) -> None:
        """Begin a step where the last one's gradients were let go of."""
        if self.parameters[0].grad is not None:
            return
        self.gradient.zero_()
        for weight, own in zip(self.parameters, self._views(self.gradient), strict=True):
            weight.grad = own


class PackedModel:
    """Computes losses and log-odds of batches from :class:`Packer`.

    Parameters
    ----------
    own : module
        What is the architecture's own.
    model : AnswerModel
        With LoRA in the language model alone. Its projections become views of merged ones, and it
        goes on working.

    Raises
    ------
    NotPackedError
        If the model trains or computes anything else.
    """

    def __init__(self, own: Any, model: AnswerModel):
        _, self.body, stock = model._parts
        self.device, self.head = model.device, stock.lm_head
        self.answers = torch.tensor(list(model.answers), device=self.head.weight.device)
        layers = list(self.body.layers)
        _check(layers, model)
        parameters = [w for layer in layers for group in _groups(layer) for w in _trained(group)]
        if {id(w) for w in parameters} != {id(w) for w in model.trained.values()}:
            raise NotPackedError("other weights than LoRA in the language model are trained")
        self.weights = TrainedWeights(parameters, self.head.weight.dtype)
        views = self.weights.views()
        self.layers = [PackedLayer(layer, views) for layer in layers]
        self.tower = own.Tower(stock, EncoderLayer)
        self.anchor = torch.zeros((), device=self.device, requires_grad=True)

    def loss(self, batch: dict[str, Any], count: Tensor) -> Tensor:
        """Return the cross-entropy over the whole vocabulary, summed and divided by `count`."""
        logits = self.head(self._hidden(batch, training=True))
        total = F.cross_entropy(
            logits.float(), batch["targets"], reduction="sum", ignore_index=IGNORED
        )
        return total / count

    @torch.no_grad()
    def log_odds(self, batch: dict[str, Any]) -> Tensor:
        """Return the log-odds of the two answers, (clips,), for a batch of loss `answer`."""
        placed = {
            name: value.to(self.device) if torch.is_tensor(value) else value
            for name, value in batch.items()
        }
        self.weights.refresh()
        hidden = self._hidden(placed, training=False)
        logits = hidden.float() @ self.head.weight[self.answers].float().T
        return logits[:, 0] - logits[:, 1]

    def _hidden(self, batch: dict[str, Any], training: bool) -> Tensor:
        """Return the last hidden states of supervised rows."""
        with torch.no_grad():
            hidden = self._embedded(batch)
            rotation = self._rotation(hidden, batch["turns"])
        added: Tensor | None = None
        for layer in self.layers:
            rows = batch["places"] if layer is self.layers[-1] else None
            hidden, added = layer(hidden, added, rotation, batch, rows, self.anchor, training)
        return _added_norm(hidden, added, self.body.norm)[1]

    def _embedded(self, batch: dict[str, Any]) -> Tensor:
        """Return the embeddings of all rows: text, and audio from the tower."""
        audio = self.tower.encoded(batch["mel"], batch["longest"], batch["frames"])
        audio_source = batch["audio_source"]
        text = self.body.embed_tokens(batch["ids"])
        audio = audio.flatten(0, 1).index_select(0, audio_source.clamp(min=0)).to(text.dtype)
        return torch.where((audio_source >= 0)[:, None], audio, text)

    def _rotation(self, hidden: Tensor, turns: Tensor) -> tuple[Tensor, Tensor]:
        cosine, sine = self.body.rotary_emb(hidden, turns[None])
        first, second = sine[0].chunk(2, dim=-1)
        return cosine[0][:, None], torch.cat([-first, second], dim=-1)[:, None]


class PackedLayer:
    """A decoder layer of Qwen2 on rows.

    Parameters
    ----------
    stock : decoder layer
    views : iterator
        Of :meth:`TrainedWeights.views`, at this layer's first.
    """

    def __init__(self, stock: Any, views: Iterator[tuple[Tensor, Tensor]]):
        self.stock = stock
        self.qkv, self.out, self.gate_up, self.down = (
            Product(group, views) for group in _groups(stock)
        )
        attention = stock.self_attn
        self.width = attention.head_dim
        self.key_heads = attention.k_proj.out_features // self.width
        self.heads = attention.q_proj.out_features // self.width

    def __call__(
        self,
        hidden: Tensor,
        added: Tensor | None,
        rotation: tuple[Tensor, Tensor],
        batch: dict[str, Any],
        rows: Tensor | None,
        anchor: Tensor,
        training: bool,
    ) -> tuple[Tensor, Tensor]:
        """Apply the layer; with `rows`, compute these alone.

        Returns
        -------
        hidden, added : tensors, (rows, width)
            What the layer adds is added with the next one's norm.
        """
        hidden, inner = _added_norm(hidden, added, self.stock.input_layernorm)
        mixed = self.qkv(inner, anchor, training)
        attended = PackedRows.apply(self._attended(mixed, rotation, batch), batch)
        if rows is not None:
            hidden, attended = hidden.index_select(0, rows), attended.index_select(0, rows)
        out = self.out(attended, anchor, training)
        hidden, inner = _added_norm(hidden, out, self.stock.post_attention_layernorm)
        fed = SwiGLU.apply(self.gate_up(inner, anchor, training))
        return hidden, self.down(fed, anchor, training)

    def _attended(
        self, mixed: Tensor, rotation: tuple[Tensor, Tensor], batch: dict[str, Any]
    ) -> Tensor:
        """Return (clips, places, width): each place sees those before it."""
        laid = LaidOut.apply(mixed, rotation, (self.heads, self.key_heads), batch)
        query, key, value = (part.transpose(1, 2) for part in laid)
        attended = F.scaled_dot_product_attention(
            query, key, value, is_causal=True, enable_gqa=self.heads != self.key_heads
        )
        return attended.transpose(1, 2).flatten(-2)


class Product:
    """Linear layers of one input as one product, with LoRA beside them.

    Parameters
    ----------
    layers : sequence of nn.Linear, or PEFT's layers around one
    views : iterator
        Of the weights to be trained, in the order of :func:`_trained`.
    """

    def __init__(self, layers: Sequence[Any], views: Iterator[tuple[Tensor, Tensor]]):
        plain = [getattr(layer, "base_layer", layer) for layer in layers]
        if len(plain) == 1:
            self.weight, self.bias = plain[0].weight, plain[0].bias
        else:
            self.weight, self.bias = merge(plain)
        self.adapters = _adapters(layers, [layer.out_features for layer in plain], views)

    def __call__(self, x: Tensor, anchor: Tensor, training: bool) -> Tensor:
        """Return (rows, outputs)."""
        return AdaptedProduct.apply(x, anchor, self.weight, self.bias, self.adapters, training)


def _adapters(
    layers: Sequence[Any], sizes: Sequence[int], views: Iterator[tuple[Tensor, Tensor]]
) -> Adapters | None:
    """Return the adapters of layers that read one input, or None if none has one."""
    ends = [0]
    for size in sizes:
        ends.append(ends[-1] + size)
    adapted = [(x, slice(*ends_of)) for x, ends_of in zip(layers, pairwise(ends), strict=True)]
    adapted = [(layer, outputs) for layer, outputs in adapted if _is_adapted(layer)]
    if not adapted:
        return None
    down = [next(views) for _ in adapted]
    up = [next(views) for _ in adapted]
    parts, rank = [], 0
    for (layer, outputs), (weight, gradient) in zip(adapted, up, strict=True):
        ranks = slice(rank, rank + weight.shape[1])
        scale = layer.scaling[layer.active_adapters[0]]
        parts.append(Adapter(outputs, ranks, weight, gradient, scale))
        rank = ranks.stop
    return Adapters(_stacked([w for w, _ in down]), _stacked([g for _, g in down]), parts,
                    _dropout(adapted[0][0]))  # fmt: skip


def _stacked(neighbours: Sequence[Tensor]) -> Tensor:
    """Return the one matrix that matrices are rows of, which lie behind one another in memory."""
    first = neighbours[0]
    rows = sum(len(matrix) for matrix in neighbours)
    return first.as_strided((rows, first.shape[1]), first.stride())


def _groups(layer: Any) -> list[list[Any]]:
    return [[getattr(getattr(layer, part), name) for name in names] for part, names in GROUPS]


def _is_adapted(layer: Any) -> bool:
    return hasattr(layer, "lora_A")


def _trained(group: Sequence[Any]) -> list[nn.Parameter]:
    """Return the trained weights of layers that read one input: all of A, then all of B."""
    adapted = [layer for layer in group if _is_adapted(layer)]
    return [
        getattr(layer, name)[layer.active_adapters[0]].weight
        for name in ("lora_A", "lora_B")
        for layer in adapted
    ]


def _dropout(layer: Any) -> float:
    return float(getattr(layer.lora_dropout[layer.active_adapters[0]], "p", 0.0))


def _check(layers: Sequence[Any], model: AnswerModel) -> None:
    """Raise a NotPackedError unless all is a plain Qwen2 on one device."""
    for layer in layers:
        if not hasattr(layer.mlp, "gate_proj") or hasattr(layer.self_attn, "q_norm"):
            raise NotPackedError("its layers are not those of Qwen2")
        if "silu" not in type(layer.mlp.act_fn).__name__.lower():
            raise NotPackedError("its feed-forward is no SwiGLU")
        for group in _groups(layer):
            plain = [getattr(linear, "base_layer", linear) for linear in group]
            if any(type(linear) is not nn.Linear for linear in plain):
                raise NotPackedError("its weights are quantised")
            if any(linear.weight.device != model.device for linear in plain):
                raise NotPackedError("it is spread over several GPUs")


def _added_norm(hidden: Tensor, added: Tensor | None, norm: nn.Module) -> tuple[Tensor, Tensor]:
    total, normed = AddedNorm.apply(hidden, added, norm.weight, norm.variance_epsilon)
    return total, normed
