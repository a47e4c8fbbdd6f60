"""Damage among all files that jobs have made, looked for once a job has failed over some of it.

A job opens its files one after another, and ends at the first that is damaged. Were it left at
that, each further file would cost a run of its own. All that the manifest knows is therefore
compared with what was written, and what differs is set aside, so that one further run makes all of
it anew.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from speechdt import checksums
from speechdt.workflow.manifest import entries


def set_aside_damaged(folder: Path, inputs: Iterable[str | Path], *, sure: bool) -> list[str]:
    """Set aside all files of complete jobs that are not as they were written.

    Parameters
    ----------
    folder : Path
        The manifest.
    inputs : iterable of paths
        Of the job that has failed.
    sure : bool
        Whether it has failed over damage; otherwise that is so if one of its inputs is damaged,
        or was set aside since the run began.

    Returns
    -------
    list of str
        A line for each file, those of the inputs first; empty if the job has failed over something
        else.
    """
    first = dict.fromkeys(map(str, inputs))
    written = dict(_written(folder))
    lines = [
        line
        for path in first
        if (line := (not sure and _missing(Path(path))) or _set_aside(path, written.get(path, "")))
    ]
    if not (lines or sure):
        return []
    others = (item for item in written.items() if item[0] not in first)
    return lines + [line for path, digest in others if (line := _set_aside(path, digest))]


def _written(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the files of complete jobs with their SHA-256, and their folders with ''."""
    for _, entry in entries(folder):
        if entry["complete"]:
            digests = entry.get("sha256") or {}
            yield from ((path, digests.get(path, "")) for path in entry["outputs"])


def _missing(path: Path) -> str:
    """Say that a file was set aside before, by another job, if that is why it is not there."""
    away = checksums.away(path)
    if os.path.lexists(path) or not os.path.lexists(away):
        return ""
    return checksums.damage_line(path, "found by another job", away)


def _set_aside(path: str, digest: str) -> str:
    """Set a file or folder aside if it is damaged; return the line that says so, or ''."""
    try:
        if not digest:
            return checksums.set_damaged_aside(Path(path))
        problem = checksums.damage_of_file(Path(path), digest)
        return (
            checksums.damage_line(Path(path), problem, checksums.set_aside(Path(path)))
            if problem
            else ""
        )
    except OSError:  # a machine in trouble, which says nothing of the file
        return ""
