"""CUDA graphs: one launch instead of thousands, for each shape of the inputs."""

import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

WARM_UP = 3
"""Runs before a capture: libraries choose their kernels and take their memory."""
KEPT = 24
"""Graphs kept; the one unused for longest goes first."""


class CapturedFunction:
    """A function of tensors, captured once and replayed on what is copied into its inputs.

    Parameters
    ----------
    function : callable
        Takes tensors and returns one; launches kernels only, always the same.
    inputs : sequence of tensors
        As those to come, in shape, type and device.
    pool : graph pool handle
        Memory shared with other graphs that run one after the other.
    """

    def __init__(self, function: Callable[..., Tensor], inputs: Sequence[Tensor], pool: Any):
        self.inputs = [tensor.clone() for tensor in inputs]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                function(*self.inputs)
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, pool=pool, capture_error_mode="thread_local"):
            self.output = function(*self.inputs)

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return the function of `inputs`."""
        for own, given in zip(self.inputs, inputs, strict=True):
            own.copy_(given)
        self.graph.replay()
        return self.output.clone()


class GraphCache:
    """Captured functions by shape; what cannot be captured runs as it is.

    A shape is captured when it turns up for the second time: a capture takes some ten times as
    long as a run.

    Parameters
    ----------
    enabled : bool
        False runs everything as it is.
    around : callable
        Returns a context in which functions are run for a capture: those with effects beside
        their result undo them there.
    """

    def __init__(
        self, enabled: bool, around: Callable[[], AbstractContextManager[Any]] = nullcontext
    ):
        self.enabled, self._around = enabled, around
        self._captured: OrderedDict[tuple[str, Hashable], CapturedFunction] = OrderedDict()
        self._seen: set[tuple[str, Hashable]] = set()
        self._refused: set[str] = set()
        self._pool: Any = None

    def __len__(self) -> int:
        return len(self._captured)

    def run(
        self, name: str, shape: Hashable, function: Callable[..., Tensor], *inputs: Tensor
    ) -> Tensor:
        """Return ``function(*inputs)``, replayed if it was captured.

        Parameters
        ----------
        name : str
            What the function does.
        shape : hashable
            All that its kernels depend on but the values of `inputs`.
        """
        key = (name, shape)
        if key in self._captured:
            self._captured.move_to_end(key)
            return self._captured[key](*inputs)
        if not self.enabled or name in self._refused or key not in self._seen:
            self._seen.add(key)
            return function(*inputs)
        return self._capture(key, function, inputs)

    def _capture(
        self,
        key: tuple[str, Hashable],
        function: Callable[..., Tensor],
        inputs: Sequence[Tensor],
    ) -> Tensor:
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        while len(self._captured) >= KEPT:
            self._captured.popitem(last=False)
        try:
            with self._around():
                captured = CapturedFunction(function, inputs, self._pool)
        except RuntimeError as error:
            self._refused.add(key[0])
            reason = str(error).splitlines()[0]
            warnings.warn(f"no CUDA graph of the {key[0]}, which is slower: {reason}", stacklevel=2)
            return function(*inputs)
        self._captured[key] = captured
        return captured(*inputs)
