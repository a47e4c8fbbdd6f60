"""Progress bars of long work, a line now and then where nobody watches."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

# A file would fill with a line for every step.
SECONDS_IN_A_FILE = 20.0


def progress(
    items: Iterable[Any] | None = None, *, desc: str, unit: str, total: int | None = None
) -> Any:
    """Return a progress bar on the standard error stream.

    Parameters
    ----------
    items : iterable, optional
        What is worked through; without it, the caller updates the bar.
    desc, unit : str
        What is done, and what one step of it is.
    total : int, optional
        Number of steps, if `items` has no length.

    Returns
    -------
    tqdm.tqdm
        Renewed ten times a second in a terminal, every 20 s elsewhere.
    """
    return tqdm(items, desc=desc, unit=unit, total=total, mininterval=interval())


def interval() -> float:
    """Return the seconds between two states of a bar."""
    return 0.1 if sys.stderr.isatty() else SECONDS_IN_A_FILE
