"""Manifest of the results: with which parameters each job made its files.

Snakemake keeps this in a folder of its own, and where that is lost it takes any file that is newer
than its inputs for up to date. The manifest lies with the results: one small file a job, written
when the job ends. A job that is at work, or was killed, leaves one that is not complete.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from speechdt import checksums

FOLDER = "manifest"
"""Folder of the manifest, beside that of the logs."""


def parameters_hash(params: Mapping[str, Any]) -> str:
    """Hash the parameters of a job; tuples count as lists and paths as text."""
    text = json.dumps(params, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return str(value)


class Entry:
    """What one job leaves in the manifest.

    Parameters
    ----------
    log : Path
        Log of the job, ``<results>/logs/{rule}/….log``: its name is that of the job.
    rule : str
    wildcards, params : mapping
    outputs : iterable of str
    mem_mb : int, optional
        Memory that the job asked for.
    """

    def __init__(
        self,
        log: Path,
        rule: str,
        wildcards: Mapping[str, str],
        params: Mapping[str, Any],
        outputs: Iterable[str],
        mem_mb: int | None = None,
    ) -> None:
        self._file = log.parents[2] / FOLDER / log.parent.name / f"{log.stem}.json"
        self._content: dict[str, Any] = {
            "rule": rule,
            "wildcards": dict(wildcards),
            "params": parameters_hash(params),
            "outputs": sorted(map(str, outputs)),
        }
        self._mem_mb = mem_mb

    def begin(self) -> None:
        """Say that the files are being made."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._write({"complete": False, "mem_mb": self._mem_mb})

    def end(self) -> None:
        """Put the files on the disk, and say that they are complete."""
        for output in map(Path, self._content["outputs"]):
            if output.is_file():
                checksums.sync(output)
        self._write({"complete": True})

    def fail(self, why: str) -> None:
        """Say why the files will not be complete."""
        self._write({"complete": False, "error": why})

    def _write(self, state: dict[str, Any]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(self._content | state, indent=1) + "\n")
        checksums.sync(new)
        new.replace(self._file)


def killed(mem_mb: int | None) -> str:
    """Return the words for a process that ended without any of its own."""
    asked = f": {mem_mb} MiB were asked" if mem_mb else ""
    return f"killed, probably out of memory{asked}"


def without_a_word(folder: Path, since: float) -> list[str]:
    """Return a line for each job that ended without saying why, as one that is killed does.

    Parameters
    ----------
    folder : Path
        The manifest.
    since : float
        Jobs that began before, in seconds since 1970, are not of this run.
    """
    lines = []
    for file in sorted(folder.glob("*/*.json")):
        try:
            entry, began = json.loads(file.read_text()), file.stat().st_mtime
            if began >= since and not entry["complete"] and "error" not in entry:
                name = f"{entry['rule']} ({file.stem})"
                lines.append(f"the job {name} was {killed(entry.get('mem_mb'))}")
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return lines


def stale(
    folder: Path, params_of: Callable[[str, Mapping[str, str]], Mapping[str, Any] | None]
) -> dict[str, str]:
    """Return files that are there but not what the configuration asks for, with the reason.

    Parameters
    ----------
    folder : Path
        The manifest.
    params_of : callable
        From a rule and its wildcards to the parameters that the job would have now; None if there
        is no such job any more.
    """
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*/*.json")):
        try:
            entry = json.loads(file.read_text())
            outputs = [path for path in entry["outputs"] if Path(path).exists()]
            complete = entry["complete"]
            made_with, job = entry["params"], (entry["rule"], entry["wildcards"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if not complete:
            found |= dict.fromkeys(outputs, "its job was killed")
            continue
        params = params_of(*job)
        if params is not None and parameters_hash(params) != made_with:
            found |= dict.fromkeys(outputs, "made with other parameters")
    return found
