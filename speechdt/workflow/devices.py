"""GPUs of this machine: each job locks as many as it claims, and no other job takes those.

Snakemake counts GPUs and does not say which is whose. A scheduler of a cluster does, and hides the
others. Here a device is taken by a lock on a file, which the system frees with the process.
"""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from speechdt.gpu_driver import Driver, asked_driver

VISIBLE = "CUDA_VISIBLE_DEVICES"
PAUSE_S = 0.5


def visible() -> list[str]:
    """Return the devices that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    named = os.environ.get(VISIBLE)
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip()]
    driver = asked_driver()
    return [str(place) for place in range(driver.gpus)] if isinstance(driver, Driver) else []


def lock_folder() -> Path:
    """Return where the locks of this user on this machine lie."""
    return Path(tempfile.gettempdir()) / f"speechdt-gpus-{os.getuid()}"


@contextmanager
def claimed(count: int, folder: Path | None = None) -> Iterator[Sequence[str]]:
    """Hold `count` GPUs while the block runs, and show it no others.

    Where no more are visible than are claimed, as in a job of a cluster, nothing is done.

    Parameters
    ----------
    count : int
    folder : Path, optional
        Where locks lie.

    Yields
    ------
    sequence of str
        The devices; empty if none are claimed.
    """
    offered = visible() if count else []
    if len(offered) <= count:
        yield offered
        return
    folder = folder or lock_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as held:
        taken = _take(offered, count, folder, held)
        before = os.environ.get(VISIBLE)
        os.environ[VISIBLE] = ",".join(taken)
        try:
            yield taken
        finally:
            os.environ.pop(VISIBLE)
            if before is not None:
                os.environ[VISIBLE] = before


def _take(offered: Sequence[str], count: int, folder: Path, held: ExitStack) -> list[str]:
    """Lock `count` devices, or none: jobs that kept some would wait for each other for ever."""
    while True:
        with ExitStack() as tried:
            taken: list[str] = []
            for name in offered:
                if len(taken) < count and _lock(folder / name.replace("/", "_"), tried):
                    taken.append(name)
            if len(taken) == count:
                held.push(tried.pop_all())
                return taken
        time.sleep(PAUSE_S)


def _lock(path: Path, held: ExitStack) -> bool:
    file = held.enter_context(path.open("w"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
