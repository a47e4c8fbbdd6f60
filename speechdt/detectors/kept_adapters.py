"""Adapters that were trained before, by their settings, data and code.

A training that is asked for again, after a change that touches none of these, takes what it made.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from speechdt import checksums
from speechdt.detectors.call import content


def training_key(settings: Mapping[str, Any], code: str, data: Iterable[Path]) -> str:
    """Return what a training is known by.

    Parameters
    ----------
    settings : mapping
        Of the training; a folder that one of them names (a model) counts by its content.
    code : str
        Hash of what trains, and of the versions of its packages.
    data : iterable of Path
        Cell files, in order.
    """
    identity = {
        "settings": {name: content(value) for name, value in settings.items()},
        "code": code,
        "data": [[path.parent.name, path.name, _digest(path)] for path in data],
    }
    written = json.dumps(identity, sort_keys=True, default=str)
    return hashlib.sha256(written.encode()).hexdigest()[:16]


def provide(out: Path, kept: Path, train: Callable[[], None]) -> bool:
    """Take an adapter that is kept, or train it and keep a copy.

    Parameters
    ----------
    out : Path
        Folder of the adapter; what was there is replaced.
    kept : Path
        Folder of the copy, for this training alone. One that is damaged is named, set
        aside and made anew.
    train : callable
        Writes `out`.

    Returns
    -------
    bool
        Whether it was trained.
    """
    if line := checksums.set_damaged_aside(kept):
        print(line, file=sys.stderr, flush=True)
    if kept.is_dir() and checksums.list_of(kept).exists():
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(kept, out)
        return False
    train()
    unfinished = kept.with_name(f"{kept.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(out, unfinished)
    unfinished.rename(kept)
    checksums.write(kept)
    return True


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
