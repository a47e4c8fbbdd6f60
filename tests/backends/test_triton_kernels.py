"""Triton kernels, interpreted on the CPU, against torch's own operations."""

import importlib
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
from torch import nn

from speechdt import find_detectors

INTERPRETED = "TRITON_INTERPRET" in os.environ
"""Triton reads it when torch imports it: hence a process of its own."""
interpreted = pytest.mark.skipif(not INTERPRETED, reason="run by test_kernels_interpreted")
HEADS, KEY_HEADS, WIDTH = 4, 2, 12
LENGTHS, SHARED = (7, 5, 6), 2


def module(name):
    package = find_detectors()["qwen2_audio"].__module__.rpartition(".")[0]
    return importlib.import_module(f"{package}.{name}")


@pytest.mark.skipif(INTERPRETED, reason="they run")
@pytest.mark.skipif(find_spec("triton") is None, reason="there is no Triton")
def test_kernels_interpreted():
    command = [sys.executable, "-m", "pytest", "-n0", "-q", __file__]
    ran = subprocess.run(
        command, env=os.environ | {"TRITON_INTERPRET": "1"}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout[-3000:]


@pytest.fixture
def both(monkeypatch):
    """Run something by torch and by the kernels, from the same random numbers."""
    fused, operations = module("fused"), module("finetuning.operations")
    kernels = module("triton_kernels"), module("finetuning.triton_kernels")

    def run(work):
        answers = []
        for scoring, training in ((None, None), kernels):
            monkeypatch.setattr(fused, "kernels_for", lambda _tensor, own=scoring: own)
            monkeypatch.setattr(operations, "_kernels", lambda _tensor, own=training: own)
            torch.manual_seed(0)
            answers.append(work(fused, operations))
        for one, other in zip(*answers, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)

    return run


@interpreted
@pytest.mark.parametrize("added", [True, False])
def test_norms(both, added):
    def work(fused, _operations):
        hidden, delta, weight = torch.randn(2, 3, 48), torch.randn(2, 3, 48), torch.randn(48)
        delta = delta if added else None
        norm = nn.LayerNorm(48)
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
        plain = fused.add_layer_norm(hidden, delta, norm)
        return [*fused.add_norm(hidden, delta, weight, 1e-5), *(part.detach() for part in plain)]

    both(work)


@interpreted
@pytest.mark.parametrize(("clips", "past"), [(1, None), (1, 1), (3, None), (3, 1), (3, 3)])
@pytest.mark.parametrize("keys", [2, 4])
def test_inputs_of_attention(both, clips, past, keys):
    def work(fused, _operations):
        mixed = torch.randn(clips, 5, HEADS + 2 * keys, WIDTH)
        rotation = tuple(torch.randn(clips if past == 3 else 1, 5, 1, WIDTH) for _ in range(2))
        before = past and tuple(torch.randn(past, keys, 7, WIDTH) for _ in range(2))
        return fused.attention_inputs(mixed, rotation, before, keys)

    both(work)


@interpreted
def test_swiglu_and_its_derivative(both):
    def work(_fused, operations):
        x = torch.randn(5, 48, requires_grad=True)
        y = operations.SwiGLU.apply(x)
        return y.detach(), *torch.autograd.grad(y, x, torch.randn_like(y))

    both(work)


@interpreted
@pytest.mark.parametrize("added", [True, False])
def test_norm_with_its_derivative(both, added):
    def work(_fused, operations):
        x, delta = (torch.randn(5, 48, requires_grad=True) for _ in range(2))
        weight, towards = torch.randn(48), (torch.randn(5, 48), torch.randn(5, 48))
        out = operations.AddedNorm.apply(x * 1, delta * 1 if added else None, weight, 1e-5)
        leaves = [x, delta] if added else [x]
        computed = [*(part.detach() for part in out), *torch.autograd.grad(out, leaves, towards)]
        total = x + delta if added else x
        plain = (total * 1, torch.nn.functional.rms_norm(total, (48,), weight, 1e-5))
        wanted = torch.autograd.grad(plain, leaves, towards)
        for one, other in zip(computed[2:], wanted, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
        return computed

    both(work)


@interpreted
@pytest.mark.parametrize("shared", [SHARED, 0])
def test_rows_laid_out_and_back(both, monkeypatch, shared):
    packing = module("finetuning.packing")
    monkeypatch.setattr(packing, "ROWS", 4)
    packer = packing.Packer.__new__(packing.Packer)
    packer.shared = (1,) * shared
    layout = packer._layout(LENGTHS, max(LENGTHS)) | {"shared": shared}
    filled = torch.zeros(layout["laid"].shape, dtype=torch.bool)
    for clip, length in enumerate(LENGTHS):
        filled[clip, :length] = True
    filled = filled[..., None, None]

    def work(_fused, operations):
        rows = len(layout["packed"])
        mixed = torch.randn(rows, (HEADS + 2 * KEY_HEADS) * WIDTH, requires_grad=True)
        half = [torch.randn(rows, 1, WIDTH // 2) for _ in range(2)]
        rotation = torch.cat([half[0]] * 2, -1), torch.cat([-half[1], half[1]], -1)
        out = operations.LaidOut.apply(mixed * 1, rotation, (HEADS, KEY_HEADS), layout)
        towards = [torch.randn_like(part) * filled for part in out]
        (gradient,) = torch.autograd.grad(out, mixed, towards)
        return *(part.detach() * filled for part in out), gradient

    both(work)


@interpreted
def test_what_dropped_out_is_not_added(both):
    def work(_fused, operations):
        dx, d, mask = torch.randn(30, 7), torch.randn(30, 7), torch.rand(30, 7) > 0.5
        operations._add_dropped(dx, d, mask, 2.0)
        return (dx,)

    both(work)
