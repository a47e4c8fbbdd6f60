"""Parts of a job: every n-th cell or recording, scored by a process of its own.

A part keeps its scores in a store of its own, since many writers of one SQLite file lock each other
out, on network file systems above all. The whole then takes them over, and finds nothing left to
ask.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from speechdt.store import Store

Item = TypeVar("Item")
WHOLE = "1-of-1"
"""The part that is all."""


def share(items: Sequence[Item], part: str) -> Sequence[Item]:
    """Return what a part is to do.

    Parameters
    ----------
    items : sequence
    part : str
        ``3-of-4``: each fourth, from the third on.
    """
    number, _, count = part.partition("-of-")
    return items[int(number) - 1 :: int(count)]


def store_of(whole: Path, run: str, part: str = WHOLE) -> Store:
    """Open the store of a job, or of a part, which knows what the whole one knows.

    Opened for the whole, it takes over what parts have left.

    Parameters
    ----------
    whole : Path
        Database file of the detector and its options, which several runs may have in common.
    run : str
        What is scored.
    part : str
        As for :func:`share`.
    """
    folder = whole.with_suffix(".parts") / run
    if part != WHOLE:
        return Store(folder / f"{part}.sqlite", under=whole)
    store = Store(whole)
    for left in sorted(folder.glob("*.sqlite")):
        kept = Store(left)
        store.put(kept.everything())
        kept.close()
        left.unlink()
    return store
