"""Time spent in the named stages of a detector (``load``, ``features``, ``forward``, ``post``).

A detector writes ``with stage("forward"):`` around its work. Outside of :func:`recording` that
costs one attribute look-up; inside, seconds are summed by stage: from CUDA events where torch runs
on a GPU, since kernels return before they are done, and from the clock elsewhere.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

_UNTIMED: AbstractContextManager[None] = nullcontext()
_clock: "StageClock | None" = None


class StageClock:
    """Sums the seconds of each stage."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._events: list[tuple[str, Any, Any]] = []

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the time spent in the block to stage `name`."""
        cuda = _cuda()
        if cuda is None:
            start = time.perf_counter()
            yield
            elapsed = time.perf_counter() - start
            self._seconds[name] = self._seconds.get(name, 0.0) + elapsed
        else:
            begin, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
            begin.record()
            yield
            end.record()
            self._events.append((name, begin, end))

    def take(self) -> dict[str, float]:
        """Return the seconds by stage since the last call, and start anew."""
        for name, begin, end in self._events:
            end.synchronize()
            elapsed = begin.elapsed_time(end) / 1000
            self._seconds[name] = self._seconds.get(name, 0.0) + elapsed
        taken, self._seconds, self._events = self._seconds, {}, []
        return taken


def stage(name: str) -> AbstractContextManager[None]:
    """Mark a stage of a detector's work; timed only while :func:`recording`.

    Parameters
    ----------
    name : str
        ``load``, ``features``, ``forward`` or ``post``; other names are reported as they are.
    """
    return _UNTIMED if _clock is None else _clock.measure(name)


@contextmanager
def recording() -> Iterator[StageClock]:
    """Time every :func:`stage` inside the block."""
    global _clock
    outer, _clock = _clock, StageClock()
    try:
        yield _clock
    finally:
        _clock = outer


def synchronize() -> None:
    """Wait for the GPU, if torch uses one, so that a clock read next is true."""
    cuda = _cuda()
    if cuda is not None:
        cuda.synchronize()


def on_gpu() -> bool:
    """Say whether torch uses a GPU in this process."""
    return _cuda() is not None


def _cuda() -> Any:
    # torch is never imported for this: a detector that did not load it runs on the CPU.
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return torch.cuda
