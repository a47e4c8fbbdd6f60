"""The kernels of :mod:`fused`, in Triton: sums in float32, rounded once."""

import torch
import triton
import triton.language as tl
from torch import Tensor

WIDE = 1024
"""Values that one program of :func:`swiglu` computes."""
HEADS = 32
"""Heads that one program of :func:`attention_inputs` lays out."""


@triton.jit
def _add_norm(hidden, delta, weight, bias, total, normed, width, epsilon,
              ADD: tl.constexpr, CENTRED: tl.constexpr, BLOCK: tl.constexpr):  # fmt: skip
    start = tl.program_id(0).to(tl.int64) * width
    place = tl.arange(0, BLOCK)
    own = place < width
    x = tl.load(hidden + start + place, mask=own, other=0.0).to(tl.float32)
    if ADD:
        x += tl.load(delta + start + place, mask=own, other=0.0).to(tl.float32)
        rounded = x.to(total.dtype.element_ty)
        tl.store(total + start + place, rounded, mask=own)
        x = rounded.to(tl.float32)
    if CENTRED:
        x = tl.where(own, x - tl.sum(x, axis=0) / width, 0.0)
    scale = tl.rsqrt(tl.sum(x * x, axis=0) / width + epsilon)
    y = x * scale * tl.load(weight + place, mask=own, other=0.0).to(tl.float32)
    if CENTRED:
        y += tl.load(bias + place, mask=own, other=0.0).to(tl.float32)
    tl.store(normed + start + place, y.to(normed.dtype.element_ty), mask=own)


def add_norm(
    hidden: Tensor,
    delta: Tensor | None,
    weight: Tensor,
    epsilon: float,
    bias: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """See :func:`fused.add_norm`; with a bias, :func:`fused.add_layer_norm`."""
    hidden = hidden.contiguous()
    width = hidden.shape[-1]
    normed = torch.empty_like(hidden)
    total = hidden if delta is None else torch.empty_like(hidden)
    added = hidden if delta is None else delta.contiguous()
    _add_norm[(hidden.numel() // width,)](
        hidden, added, weight, weight if bias is None else bias, total, normed, width, epsilon,
        ADD=delta is not None, CENTRED=bias is not None,
        BLOCK=triton.next_power_of_2(width), num_warps=8,
    )  # fmt: skip
    return total, normed


@triton.jit
def _swiglu(both, out, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    own = place < width
    gate = tl.load(both + row * 2 * width + place, mask=own, other=0.0).to(tl.float32)
    up = tl.load(both + row * 2 * width + width + place, mask=own, other=0.0).to(tl.float32)
    fed = gate * tl.sigmoid(gate) * up
    tl.store(out + row * width + place, fed.to(out.dtype.element_ty), mask=own)


def swiglu(both: Tensor) -> Tensor:
    """See :func:`fused.swiglu`."""
    both = both.contiguous()
    width = both.shape[-1] // 2
    out = both.new_empty(*both.shape[:-1], width)
    _swiglu[(out.numel() // width, triton.cdiv(width, WIDE))](both, out, width, BLOCK=WIDE)
    return out


# One compilation for all lengths.
@triton.jit(
    do_not_specialize=["tokens", "past", "clip_stride", "head_stride", "turn_stride"],
)
def _lay(mixed, cosine, sine, past_key, past_value, query, key, value,
         tokens, past, queries, keys, clip_stride, head_stride, turn_stride,
         WIDTH: tl.constexpr, HALF: tl.constexpr, HEADS: tl.constexpr):  # fmt: skip
    clip = (tl.program_id(0) // (past + tokens)).to(tl.int64)
    place = tl.program_id(0) % (past + tokens)
    token = place - past
    head = tl.program_id(1) * HEADS + tl.arange(0, HEADS)[:, None]
    half = tl.arange(0, HALF)[None, :]
    inside = half < WIDTH // 2
    is_query = head < queries
    is_key = (head >= queries) & (head < queries + keys)
    is_value = (head >= queries + keys) & (head < queries + 2 * keys)
    # Where what is laid out goes: queries by themselves, keys and values behind the past.
    to_query = ((clip * queries + head) * tokens + token) * WIDTH + half
    to_key = ((clip * keys + head - queries) * (past + tokens) + place) * WIDTH + half
    to_value = ((clip * keys + head - queries - keys) * (past + tokens) + place) * WIDTH + half
    if token >= 0:
        of = mixed + ((clip * tokens + token) * (queries + 2 * keys) + head) * WIDTH + half
        any_head = inside & (head < queries + 2 * keys)
        first = tl.load(of, mask=any_head, other=0.0).to(tl.float32)
        second = tl.load(of + WIDTH // 2, mask=any_head, other=0.0).to(tl.float32)
        turn = clip * turn_stride + token * WIDTH + half
        c1 = tl.load(cosine + turn, mask=inside, other=0.0).to(tl.float32)
        c2 = tl.load(cosine + turn + WIDTH // 2, mask=inside, other=0.0).to(tl.float32)
        s1 = tl.load(sine + turn, mask=inside, other=0.0).to(tl.float32)
        s2 = tl.load(sine + turn + WIDTH // 2, mask=inside, other=0.0).to(tl.float32)
        turned_first = (first * c1 + second * s1).to(query.dtype.element_ty)
        turned_second = (second * c2 + first * s2).to(query.dtype.element_ty)
        tl.store(query + to_query, turned_first, mask=inside & is_query)
        tl.store(query + to_query + WIDTH // 2, turned_second, mask=inside & is_query)
        tl.store(key + to_key, turned_first, mask=inside & is_key)
        tl.store(key + to_key + WIDTH // 2, turned_second, mask=inside & is_key)
        plain_first, plain_second = (
            first.to(query.dtype.element_ty),
            second.to(query.dtype.element_ty),
        )
        tl.store(value + to_value, plain_first, mask=inside & is_value)
        tl.store(value + to_value + WIDTH // 2, plain_second, mask=inside & is_value)
    else:
        of_clip = clip * clip_stride + place * WIDTH + half
        from_key = of_clip + (head - queries) * head_stride
        from_value = of_clip + (head - queries - keys) * head_stride
        for side in tl.static_range(2):
            shift = side * (WIDTH // 2)
            kept = tl.load(past_key + from_key + shift, mask=inside & is_key, other=0.0)
            tl.store(key + to_key + shift, kept, mask=inside & is_key)
            kept = tl.load(past_value + from_value + shift, mask=inside & is_value, other=0.0)
            tl.store(value + to_value + shift, kept, mask=inside & is_value)


def attention_inputs(
    mixed: Tensor,
    rotation: tuple[Tensor, Tensor],
    past: tuple[Tensor, Tensor] | None,
    values: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """See :func:`fused.attention_inputs`."""
    mixed = mixed.contiguous()
    clips, tokens, heads, width = mixed.shape
    queries = heads - 2 * values
    cosine, sine = (part.contiguous() for part in rotation)
    turn_stride = 0 if len(cosine) == 1 else tokens * width
    if past is None:
        length, clip_stride, head_stride = 0, 0, 0
        past_key = past_value = mixed
    else:
        past_key, past_value = (part.contiguous() for part in past)
        length = past_key.shape[2]
        head_stride = length * width
        clip_stride = 0 if len(past_key) == 1 else values * head_stride
    query = mixed.new_empty(clips, queries, tokens, width)
    key = mixed.new_empty(clips, values, length + tokens, width)
    value = torch.empty_like(key)
    _lay[(clips * (length + tokens), triton.cdiv(heads, HEADS))](
        mixed, cosine, sine, past_key, past_value, query, key, value,
        tokens, length, queries, values, clip_stride, head_stride, turn_stride,
        WIDTH=width, HALF=triton.next_power_of_2(width // 2), HEADS=HEADS,
    )  # fmt: skip
    return query, key, value
