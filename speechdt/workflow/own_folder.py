"""Snakemake's own folder: its locks, and its records of how each file was made.

A record is named after its file, in base64; a long name is cut into folders.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
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


def replace_params(outputs: Iterable[str], replaced: Mapping[str, str]) -> None:
    """Put other texts into the parameters that Snakemake knows files to be made with."""
    for output in outputs:
        file = _record(MADE, output)
        if not file.exists():
            continue
        record = json.loads(file.read_text())
        params = record.get("params") or []
        for before, now in replaced.items():
            params = [value.replace(before, now) for value in params]
        new = file.with_name(f"{file.name}.new")
        new.write_text(json.dumps(record | {"params": sorted(params)}))
        new.replace(file)


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
