"""Kernels of a training step in Triton: sums in float32, rounded once.

Each does what the operation of its name in :mod:`operations` does with torch's own.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

HEADS = 32
"""Heads that one program lays out."""
WIDE = 1024
"""Values that one program computes of an operation value by value."""


@triton.jit(do_not_specialize=["places"])
def _lay(mixed, cosine, sine, rows, query, key, value, places, queries, keys,
         WIDTH: tl.constexpr, HALF: tl.constexpr, HEADS: tl.constexpr):  # fmt: skip
    place = tl.program_id(0).to(tl.int64)
    row = tl.load(rows + place)
    head = tl.program_id(1) * HEADS + tl.arange(0, HEADS)[:, None]
    half = tl.arange(0, HALF)[None, :]
    inside = half < WIDTH // 2
    total = queries + 2 * keys
    of = mixed + (row * total + head) * WIDTH + half
    first = tl.load(of, mask=inside & (head < total), other=0.0).to(tl.float32)
    second = tl.load(of + WIDTH // 2, mask=inside & (head < total), other=0.0).to(tl.float32)
    turn = row * WIDTH + half
    c1 = tl.load(cosine + turn, mask=inside, other=0.0).to(tl.float32)
    c2 = tl.load(cosine + turn + WIDTH // 2, mask=inside, other=0.0).to(tl.float32)
    s1 = tl.load(sine + turn, mask=inside, other=0.0).to(tl.float32)
    s2 = tl.load(sine + turn + WIDTH // 2, mask=inside, other=0.0).to(tl.float32)
    is_value = head >= queries + keys
    turned_first = tl.where(is_value, first, first * c1 + second * s1)
    turned_second = tl.where(is_value, second, second * c2 + first * s2)
    turned_first = turned_first.to(query.dtype.element_ty)
    turned_second = turned_second.to(query.dtype.element_ty)
    own = inside & (head < queries)
    to = query + (place * queries + head) * WIDTH + half
    tl.store(to, turned_first, mask=own)
    tl.store(to + WIDTH // 2, turned_second, mask=own)
    own = inside & (head >= queries) & (head < queries + keys)
    to = key + (place * keys + head - queries) * WIDTH + half
    tl.store(to, turned_first, mask=own)
    tl.store(to + WIDTH // 2, turned_second, mask=own)
    own = inside & is_value & (head < total)
    to = value + (place * keys + head - queries - keys) * WIDTH + half
    tl.store(to, turned_first, mask=own)
    tl.store(to + WIDTH // 2, turned_second, mask=own)


def lay(
    mixed: Tensor, rotation: tuple[Tensor, Tensor], laid: Tensor, queries: int, keys: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return rotated queries and keys, and values, (clips, places, heads, width of a head)."""
    cosine, sine = rotation
    width = cosine.shape[-1]
    query = mixed.new_empty(*laid.shape, queries, width)
    key = mixed.new_empty(*laid.shape, keys, width)
    value = torch.empty_like(key)
    _lay[(laid.numel(), triton.cdiv(queries + 2 * keys, HEADS))](
        mixed, cosine, sine, laid, query, key, value, laid.numel(), queries, keys,
        WIDTH=width, HALF=triton.next_power_of_2(width // 2), HEADS=HEADS,
    )  # fmt: skip
    return query, key, value


@triton.jit(do_not_specialize=["clips", "places", "shared", "c_q", "c_k", "c_v"])
def _gather(d_query, d_key, d_value, cosine, sine, packed, out,
            clips, places, shared, queries, keys,
            c_q, p_q, h_q, c_k, p_k, h_k, c_v, p_v, h_v,
            WIDTH: tl.constexpr, HALF: tl.constexpr, HEADS: tl.constexpr):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    at = tl.load(packed + row)
    head = tl.program_id(1) * HEADS + tl.arange(0, HEADS)[:, None]
    half = tl.arange(0, HALF)[None, :]
    inside = half < WIDTH // 2
    total = queries + 2 * keys
    first = tl.zeros((HEADS, HALF), tl.float32)
    second = tl.zeros((HEADS, HALF), tl.float32)
    # A shared row stands in every clip, any other one in one.
    clip, place = at // places, at % places
    count = 1
    if row < shared:
        clip, count = clip * 0, clips
    for i in range(count):
        is_query = inside & (head < queries)
        of = d_query + (clip + i) * c_q + place * p_q + head * h_q + half
        first += tl.load(of, mask=is_query, other=0.0).to(tl.float32)
        second += tl.load(of + WIDTH // 2, mask=is_query, other=0.0).to(tl.float32)
        is_key = inside & (head >= queries) & (head < queries + keys)
        of = d_key + (clip + i) * c_k + place * p_k + (head - queries) * h_k + half
        first += tl.load(of, mask=is_key, other=0.0).to(tl.float32)
        second += tl.load(of + WIDTH // 2, mask=is_key, other=0.0).to(tl.float32)
        is_value = inside & (head >= queries + keys) & (head < total)
        of = d_value + (clip + i) * c_v + place * p_v + (head - queries - keys) * h_v + half
        first += tl.load(of, mask=is_value, other=0.0).to(tl.float32)
        second += tl.load(of + WIDTH // 2, mask=is_value, other=0.0).to(tl.float32)
    turn = row * WIDTH + half
    c1 = tl.load(cosine + turn, mask=inside, other=0.0).to(tl.float32)
    c2 = tl.load(cosine + turn + WIDTH // 2, mask=inside, other=0.0).to(tl.float32)
    s1 = tl.load(sine + turn, mask=inside, other=0.0).to(tl.float32)
    s2 = tl.load(sine + turn + WIDTH // 2, mask=inside, other=0.0).to(tl.float32)
    plain = head >= queries + keys
    back_first = tl.where(plain, first, first * c1 + second * s2)
    back_second = tl.where(plain, second, second * c2 + first * s1)
    to = out + (row * total + head) * WIDTH + half
    own = inside & (head < total)
    tl.store(to, back_first.to(out.dtype.element_ty), mask=own)
    tl.store(to + WIDTH // 2, back_second.to(out.dtype.element_ty), mask=own)


def gather(
    gradients: tuple[Tensor, Tensor, Tensor],
    rotation: tuple[Tensor, Tensor],
    packed: Tensor,
    shared: int,
) -> Tensor:
    """Return the gradient of each row, (rows, width), from those of :func:`lay`."""
    parts = [part if part.stride(-1) == 1 else part.contiguous() for part in gradients]
    clips, places, queries, width = parts[0].shape
    keys = parts[1].shape[2]
    heads = queries + 2 * keys
    out = parts[0].new_empty(len(packed), heads * width)
    _gather[(len(packed), triton.cdiv(heads, HEADS))](
        *parts, *rotation, packed, out, clips, places, shared, queries, keys,
        *(stride for part in parts for stride in part.stride()[:3]),
        WIDTH=width, HALF=triton.next_power_of_2(width // 2), HEADS=HEADS,
    )  # fmt: skip
    return out


@triton.jit
def _swiglu_backward(both, dy, out, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    own = place < width
    start = row * 2 * width + place
    gate = tl.load(both + start, mask=own, other=0.0).to(tl.float32)
    up = tl.load(both + start + width, mask=own, other=0.0).to(tl.float32)
    d = tl.load(dy + row * width + place, mask=own, other=0.0).to(tl.float32)
    sigmoid = tl.sigmoid(gate)
    d_gate = d * up * sigmoid * (1 + gate * (1 - sigmoid))
    tl.store(out + start, d_gate.to(out.dtype.element_ty), mask=own)
    tl.store(out + start + width, (d * gate * sigmoid).to(out.dtype.element_ty), mask=own)


def swiglu_backward(both: Tensor, dy: Tensor) -> Tensor:
    """Return the gradient of gate and up."""
    dy, out = dy.contiguous(), torch.empty_like(both)
    width = dy.shape[-1]
    grid = (len(dy), triton.cdiv(width, WIDE))
    _swiglu_backward[grid](both, dy, out, width, BLOCK=WIDE)
    return out


@triton.jit
def _add_dropped(dx, d, mask, scale, count, BLOCK: tl.constexpr):
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    own = place < count
    kept = tl.load(mask + place, mask=own, other=0).to(tl.float32)
    x = tl.load(dx + place, mask=own, other=0.0).to(tl.float32)
    x += tl.load(d + place, mask=own, other=0.0).to(tl.float32) * kept * scale
    tl.store(dx + place, x.to(dx.dtype.element_ty), mask=own)


def add_dropped(dx: Tensor, d: Tensor, mask: Tensor, scale: float) -> None:
    """Add what did not drop out, in place."""
    kept = mask.view(torch.uint8)
    grid = (triton.cdiv(dx.numel(), WIDE),)
    _add_dropped[grid](dx, d, kept, scale, dx.numel(), BLOCK=WIDE)


@triton.jit
def _norm_backward(total, weight, d_total, d_normed, out, width, epsilon,
                   ADD: tl.constexpr, BLOCK: tl.constexpr):  # fmt: skip
    start = tl.program_id(0).to(tl.int64) * width
    place = tl.arange(0, BLOCK)
    own = place < width
    x = tl.load(total + start + place, mask=own, other=0.0).to(tl.float32)
    scale = tl.rsqrt(tl.sum(x * x, axis=0) / width + epsilon)
    gain = tl.load(weight + place, mask=own, other=0.0).to(tl.float32)
    d = tl.load(d_normed + start + place, mask=own, other=0.0).to(tl.float32) * gain
    along = tl.sum(d * x, axis=0) * scale * scale / width
    d = (d - x * along) * scale
    if ADD:
        d += tl.load(d_total + start + place, mask=own, other=0.0).to(tl.float32)
    tl.store(out + start + place, d.to(out.dtype.element_ty), mask=own)


def norm_backward(
    total: Tensor, weight: Tensor, epsilon: float, d_total: Tensor | None, d_normed: Tensor
) -> Tensor:
    """Return the gradient of what was added and normalised."""
    d_normed, out = d_normed.contiguous(), torch.empty_like(total)
    width = total.shape[-1]
    added = d_normed if d_total is None else d_total.contiguous()
    _norm_backward[(total.numel() // width,)](
        total, weight, added, d_normed, out, width, epsilon,
        ADD=d_total is not None, BLOCK=triton.next_power_of_2(width), num_warps=8,
    )  # fmt: skip
    return out
