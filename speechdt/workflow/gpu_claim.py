"""Whole GPUs for a job: a lock for each, held until the process ends.

Snakemake counts GPUs and does not say which; without this, all jobs would take the first one. What
a scheduler has chosen (CUDA_VISIBLE_DEVICES) is kept to, and locks go by the GPU's own
identity, since schedulers count each job's GPUs from 0.
"""

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from speechdt.errors import SpeechdtError
from speechdt.gpu_driver import Driver, asked_driver

VISIBLE = "CUDA_VISIBLE_DEVICES"
LOCKS = Path(tempfile.gettempdir()) / f"speechdt-gpus-{os.getuid()}"
PAUSE_S = 2.0
"""Between two looks for GPUs that are free."""
_held: list[IO[str]] = []


def claim(count: int) -> list[str]:
    """Take GPUs for this process and those that it starts, and show it no others.

    Waits until so many are free. To be called before anything initialises CUDA.

    Parameters
    ----------
    count : int
        0 takes none, and hides none.

    Returns
    -------
    list of str
        As CUDA_VISIBLE_DEVICES names them; empty without a driver or a GPU.

    Raises
    ------
    SpeechdtError
        If fewer are visible at all.
    """
    gpus = visible_gpus() if count > 0 else []
    if not gpus:
        return []
    if count > len(gpus):
        raise SpeechdtError(f"the job claims {count} GPUs, and {len(gpus)} are visible")
    waits = False
    while True:
        taken = _take(gpus, count)
        if taken:
            os.environ[VISIBLE] = ",".join(taken)
            logging.info("GPUs of this job: %s", ", ".join(taken))
            return taken
        if not waits:
            logging.info("%d GPUs are claimed, and fewer are free: waiting", count)
            waits = True
        time.sleep(PAUSE_S)


def _take(gpus: Sequence[tuple[str, str]], count: int) -> list[str]:
    """Lock so many GPUs and return their names; none if fewer are free."""
    LOCKS.mkdir(mode=0o700, exist_ok=True)
    locks: dict[str, IO[str]] = {}
    for name, identity in gpus:
        lock: IO[str] = (LOCKS / identity).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        locks[name] = lock
        if len(locks) == count:
            _held.extend(locks.values())
            return list(locks)
    for lock in locks.values():
        lock.close()
    return []


def visible_gpus() -> list[tuple[str, str]]:
    """Return the name of each GPU in CUDA_VISIBLE_DEVICES, and what it is known by."""
    driver = asked_driver()
    if not isinstance(driver, Driver) or driver.error:
        return []
    told = os.environ.get(VISIBLE)
    numbers = [str(i) for i in range(driver.gpus)]
    names = numbers if told is None else [name.strip() for name in told.split(",")]
    known = zip(names, driver.uuids, strict=False)
    # Parts of one GPU (MIG) share its identity, and have names of their own.
    return [(name, name if name.startswith("MIG") else identity) for name, identity in known]
