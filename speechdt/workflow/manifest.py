"""Manifest of the results: with which parameters, and by which code, each job made its files.

Snakemake keeps this in a folder of its own, and where that is lost it takes any file that is newer
than its inputs for up to date. The manifest lies with the results: one small file a job, written
when the job ends. A job that is at work, or was killed, leaves one that is not complete. The files
behind a hash of code stand once, in ``code/{hash}.json``, so that what differs can be named.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from speechdt import checksums
from speechdt.code_hash import Code

FOLDER = "manifest"
"""Folder of the manifest, beside that of the logs."""
PARTS = "parts"
"""Folder of files that say for a while that all on a base were asked, beside it."""
NAMED = 3
"""Files and parameters that a reason names; of more it says how many."""

STOPPED = "it was stopped"
"""Why files of a job are not complete that was interrupted."""
NEEDED = {"rule", "wildcards", "params", "outputs", "complete"}
"""What an entry has."""
LINES = 20
"""Reasons that are told."""

ParamsOf = Callable[[str, Mapping[str, str]], Mapping[str, Any] | None]
"""From a rule and its wildcards to the parameters that the job would have now; None if there is no
such job any more."""


def hashes(params: Mapping[str, Any]) -> dict[str, str]:
    """Hash each parameter of a job, and each entry of those that are mappings, by name.

    Tuples count as lists and paths as text.
    """
    digests: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, Mapping) and value:
            digests |= {f"{name}.{key}": _hash(entry) for key, entry in value.items()}
        else:
            digests[name] = _hash(value)
    return digests


def codes(params: Mapping[str, Any]) -> dict[str, Code]:
    """Return the hashes of code among the parameters of a job, by name as in :func:`hashes`."""
    code_hashes: dict[str, Code] = {}
    for name, value in params.items():
        if isinstance(value, Code):
            code_hashes[name] = value
        elif isinstance(value, Mapping):
            code_hashes |= {f"{name}.{key}": code for key, code in codes(value).items()}
    return code_hashes


def _hash(value: Any) -> str:
    if isinstance(value, Code):
        return str(value)
    text = json.dumps(value, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return str(value)


def manifest_of(log: Path | str) -> Path:
    """Return the manifest of the results that a job's log belongs to."""
    return Path(log).parents[2] / FOLDER


class Entry:
    """Entry of one job in the manifest.

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
        self._folder = manifest_of(log)
        self._file = self._folder / log.parent.name / f"{log.stem}.json"
        self._codes = codes(params)
        self._content: dict[str, Any] = {
            "rule": rule,
            "wildcards": dict(wildcards),
            "params": hashes(params),
            "outputs": sorted(map(str, outputs)),
        }
        self._mem_mb = mem_mb

    def begin(self) -> None:
        """Say that the files are being made."""
        write(self._file, self._content | {"complete": False, "mem_mb": self._mem_mb})

    def end(self) -> None:
        """Put the files on the disk, and say that they are complete, with their checksums."""
        digests = {
            output: checksums.digest_of(Path(output), synced=True)
            for output in self._content["outputs"]
            if Path(output).is_file()
        }
        for code in self._codes.values():
            keep_code(self._folder, code)
        write(self._file, self._content | {"complete": True, "sha256": digests})

    def fail(self, why: str) -> None:
        """Say why the files are not made, for the last line of the run."""
        write(self._file, self._content | {"complete": False, "error": why})


def keep_code(folder: Path, code: Code) -> None:
    """Keep in a manifest which files are behind a hash."""
    file = folder / "code" / f"{code}.json"
    if not file.exists():
        write(file, code.files)


def write(file: Path, content: Mapping[str, Any]) -> None:
    """Write an entry, or what is behind a hash, at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # By processes side by side: what several write is the same.
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    new.write_text(json.dumps(content, indent=1) + "\n")
    checksums.sync(new)
    new.replace(file)


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
    return [
        f"the job {entry['rule']} ({file.stem}) was {killed(entry.get('mem_mb'))}"
        for file, entry in unfinished(folder, since)
        if "error" not in entry
    ]


def unfinished(folder: Path, since: float) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield what a manifest has of jobs that began since a time and are not complete."""
    for file, entry in entries(folder):
        with suppress(OSError):
            if file.stat().st_mtime >= since and not entry["complete"]:
                yield file, entry


def entries(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the entries of a manifest with their files; what cannot be read is passed over."""
    for file in sorted(folder.glob("*/*.json")):
        if file.parent.name == "code":
            continue
        try:
            entry = json.loads(file.read_text())
        except (OSError, ValueError):
            continue
        if isinstance(entry, dict) and entry.keys() >= NEEDED:
            yield file, entry


class Made(NamedTuple):
    """A job of the manifest whose files are there.

    Attributes
    ----------
    file : Path
        Its entry.
    entry : dict
        What that says.
    outputs : list of str
        Those of its files that are there.
    params : mapping or None
        What the job would have now; None if there is no such job.
    """

    file: Path
    entry: dict[str, Any]
    outputs: list[str]
    params: Mapping[str, Any] | None

    @property
    def changed(self) -> list[str]:
        """Names of the parameters that are others now."""
        if self.params is None:
            return []
        before, now = self.entry["params"], hashes(self.params)
        if not isinstance(before, dict):  # of an older version, which did not name them
            return ["all parameters"]
        return sorted(
            name for name in before.keys() | now.keys() if before.get(name) != now.get(name)
        )

    @property
    def changed_code(self) -> dict[str, Code]:
        """Hashes of code that are others now, by the name of the parameter."""
        now = codes(self.params or {})
        return {name: now[name] for name in self.changed if name in now}


def made(folder: Path, params_of: ParamsOf, *, temporary: bool = False) -> Iterator[Made]:
    """Yield the jobs of a manifest whose files are there; what cannot be read is passed over.

    Parameters
    ----------
    folder : Path
    params_of : callable
    temporary : bool
        Whether those count, too, whose files are gone because they were temporary (`PARTS`):
        Snakemake still knows what they were made with.
    """
    for file, entry in entries(folder):
        outputs = [path for path in entry["outputs"] if Path(path).exists()]
        if temporary and not outputs:
            parts = folder.parent / PARTS
            outputs = [path for path in entry["outputs"] if Path(path).is_relative_to(parts)]
        if outputs:
            yield Made(file, entry, outputs, params_of(entry["rule"], entry["wildcards"]))


def stale(jobs: Iterable[Made]) -> dict[str, str]:
    """Return files that are there but not what the configuration asks for, with the reason."""
    files: dict[str, str] = {}
    for job in jobs:
        if not job.entry["complete"]:
            files |= dict.fromkeys(job.outputs, "its job was killed")
        elif job.changed:
            files |= dict.fromkeys(job.outputs, "made with other parameters")
    return files


def reasons(folder: Path, jobs: Iterable[Made]) -> list[str]:
    """Say in words which jobs have changed, a line for each rule and reason.

    ``fit_thresholds: 10 jobs, code changed in psychometrics/curve.py``
    """
    counted: Counter[tuple[str, str]] = Counter()
    for job in jobs:
        if job.entry["complete"] and job.changed:
            counted[job.entry["rule"], reason(folder, job)] += 1
    return lines(counted)


def lines(counted: Mapping[tuple[str, str], int]) -> list[str]:
    """Return a line for each rule and reason."""
    return [f"{rule}: {n} job{'s' * (n > 1)}, {why}" for (rule, why), n in counted.items()]


def few(messages: Sequence[str]) -> list[str]:
    """Return the first lines, and how many more there are."""
    more = len(messages) - LINES
    return [*messages[:LINES], f"and {more} more such lines"] if more > 0 else list(messages)


def reason(folder: Path, job: Made) -> str:
    """Say what has changed for a job."""
    files = changed_files(folder, job)
    others = [name for name in job.changed if name not in job.changed_code]
    changes = [f"code changed in {named(files)}"] if files else []
    changes += [f"{named(others)} changed"] if others else []
    return "; ".join(changes) or "code changed"


def changed_files(folder: Path, job: Made) -> list[str]:
    """Return the files of code that are others than those that made a job's files, by name."""
    files: set[str] = set()
    for name, code in job.changed_code.items():
        try:
            before = json.loads((folder / "code" / f"{job.entry['params'][name]}.json").read_text())
        except (OSError, ValueError, KeyError, TypeError):
            continue
        pairs = before.items() ^ code.files.items()
        files |= {file for file, _ in pairs}
    return sorted(files)


def named(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
