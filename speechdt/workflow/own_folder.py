"""Snakemake's own folder: its locks, and its records of how each file was made.

A record is named after its file, in base64; a long name is cut into folders.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from pathlib import Path

OWN = Path(".snakemake")
LOCKS = OWN / "locks"
MADE, INCOMPLETE = OWN / "metadata", OWN / "incomplete"
LONGEST_NAME = 254
"""Of a record; file systems take a letter more."""


def _record(folder: Path, output: str) -> Path:
    name = urlsafe_b64encode(output.encode()).decode()
    *first, last = [name[i : i + LONGEST_NAME] for i in range(0, len(name), LONGEST_NAME)]
    return folder.joinpath(*(f"@{part}" for part in first), last)


def has_record(output: str) -> bool:
    """Say whether Snakemake knows how a file was made."""
    return _record(MADE, output).exists()


def mark_incomplete(outputs: Iterable[str]) -> None:
    """Make Snakemake take files for those of a killed job, which are made anew."""
    for output in outputs:
        record = _record(INCOMPLETE, output)
        record.parent.mkdir(parents=True, exist_ok=True)
        if not record.exists():
            record.write_text(json.dumps({"external_jobid": None}))


def is_locked(folder: Path) -> bool:
    """Say whether a run has locked a folder."""
    locks = folder / LOCKS
    return locks.is_dir() and any(locks.iterdir())
