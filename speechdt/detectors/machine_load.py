"""Load that others put on this machine while something is timed."""

import os
import time
from types import TracebackType
from typing import Any, NamedTuple, Self

import psutil

BEFORE_S = 1.0
"""How long the machine is watched before the clock starts."""
IDLE = ("idle", "iowait", "guest", "guest_nice")
"""Times of a processor in which it does nothing, or that stand under another name as well."""


class Spent(NamedTuple):
    """Seconds: of the clock, of all processors at work, of those at work for this process."""

    clock: float
    busy: float
    own: float


class OthersLoad:
    """Processors that other processes keep at work, in a block: ``with OthersLoad() as load``.

    Attributes
    ----------
    cores : float
        Mean over the block; all that the system does counts, but for this process and those that
        it started. Known when the block ends.
    """

    def __enter__(self) -> Self:
        self._start = _spent()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        now = _spent()
        clock, busy, own = (end - start for start, end in zip(self._start, now, strict=True))
        self.cores = max(busy - own, 0.0) / max(clock, 1e-9)


def load_before(seconds: float = BEFORE_S) -> float:
    """Return the processors that others keep at work while this process waits."""
    with OthersLoad() as load:
        time.sleep(seconds)
    return load.cores


def _spent() -> Spent:
    times = psutil.cpu_times()._asdict()
    busy = sum(seconds for kind, seconds in times.items() if kind not in IDLE)
    return Spent(time.perf_counter(), busy, _own())


def _own() -> float:
    """Return the processor seconds of this process and of those that it started."""
    ended: Any = os.times()
    own = float(ended.user + ended.system + ended.children_user + ended.children_system)
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.Error:  # it has ended
            continue
        own += times.user + times.system
    return own
