"""Clips of trials by the digest of their FLAC bytes; the audio is read on demand."""

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from speechdt.trials.cells import read_audio, read_cell


class Clips:
    """FLAC clips that are known by their digests, and read when the first is asked for.

    Parameters
    ----------
    keys : list of bytes
        SHA-256 of each clip.
    read : callable
        Returns the clips.

    Attributes
    ----------
    keys : list of bytes
    """

    def __init__(self, keys: list[bytes], read: Callable[[], list[bytes]]):
        self.keys, self._read = keys, read

    @cached_property
    def flac(self) -> list[bytes]:
        """The clips."""
        return self._read()

    def some(self, places: Sequence[int]) -> "Clips":
        """Return those at some places."""
        return Clips(
            [self.keys[place] for place in places], lambda: [self.flac[place] for place in places]
        )

    def __len__(self) -> int:
        return len(self.keys)


def in_memory(flac: list[bytes]) -> Clips:
    """Return clips that have been read."""
    return Clips([hashlib.sha256(clip).digest() for clip in flac], lambda: flac)


def of_cell(path: Path | str, columns: Sequence[str]) -> tuple[pd.DataFrame, Clips]:
    """Return some columns of a cell's trials, and its clips.

    Raises
    ------
    Damaged
        As `speechdt.trials.cells.read_cell`, of clips when they are read.
    """
    trials = read_cell(path, [*columns, "sha256"])
    keys = [bytes.fromhex(digest) for digest in trials.pop("sha256")]
    return trials, Clips(keys, lambda: read_cell(path, ["audio"])["audio"].tolist())


def read_places(cells: Sequence[Path | str], columns: Sequence[str]) -> pd.DataFrame:
    """Return some columns of the trials of cells, and where each is: ``file`` and ``row``."""
    tables = [read_cell(cell, columns).assign(file=place) for place, cell in enumerate(cells)]
    return pd.concat(tables).reset_index(names="row")


def with_audio(trials: pd.DataFrame, cells: Sequence[Path | str]) -> pd.DataFrame:
    """Return trials of :func:`read_places`, or some, with ``audio`` (FLAC) for the place."""
    audio: dict[Any, bytes] = {}
    for place, cell in enumerate(cells):
        rows = trials.loc[trials["file"] == place, "row"].sort_values()
        audio |= zip(rows.index, read_audio(cell, rows.tolist()), strict=True)
    return trials.drop(columns=["file", "row"]).assign(audio=[audio[at] for at in trials.index])
