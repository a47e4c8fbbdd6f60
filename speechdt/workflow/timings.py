"""Rounds of timings: `snakemake retime` begins another, in which all variants are timed again."""

import json
from pathlib import Path

FILE = "timings.json"
"""In the manifest: the number of the round."""
_begun: dict[Path, int] = {}
"""Rounds that this process has begun; of a dry run they are written nowhere."""


def current(folder: Path) -> int:
    """Return the number of the round that a manifest is in; 0 before any was asked for."""
    if folder in _begun:
        return _begun[folder]
    try:
        return int(json.loads((folder / FILE).read_text())["round"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def begin(folder: Path, *, dry: bool) -> None:
    """Begin another round, once a process.

    Parameters
    ----------
    folder : Path
        The manifest.
    dry : bool
        Whether this process alone is to know of it.
    """
    if folder in _begun:
        return
    _begun[folder] = current(folder) + 1
    if not dry:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps({"round": _begun[folder]}) + "\n")
