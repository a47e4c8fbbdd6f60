"""Contents of files that were read, so that a replaced file is noticed and a copied one is not.

A file is known by name, size and time. Where its inode or the time of its last change of any kind
differ from those that it had when it was read, its content decides: another file put in its place
counts as new, a copy of the whole folder does not.
"""

import hashlib
import os
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from speechdt.errors import SpeechdtError
from speechdt.files import entries, readable
from speechdt.store import Store

BLOCK = 1 << 20
"""Bytes that are read at a time."""


def state(path: Path | str) -> tuple[int, ...]:
    """Return size, time, time of the last change of any kind and inode of a file; zeros if none."""
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0, 0, 0)
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


@lru_cache(maxsize=4)  # of a long recording every region asks
def _content(path: str, _state: tuple[int, ...]) -> int:
    checksum = 0
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            checksum = zlib.crc32(block, checksum)
    return checksum


def content(path: str) -> int | None:
    """Return a checksum of all of a file (CRC-32), None if it cannot be read."""
    try:
        return _content(path, state(path)) if os.path.isfile(path) else None
    except OSError:
        return None


def remember(store: Store, contents: Mapping[str, int]) -> None:
    """Keep what files hold, as they are now.

    Parameters
    ----------
    store : Store
    contents : mapping of str to int
        Checksum by path.
    """
    states = {path: state(path) for path in contents}
    before = store.get([_key(path, states[path]) for path in contents])
    kept = {}
    for path, checksum in contents.items():
        key = _key(path, states[path])
        first = before.get(key, {}).get("first", checksum)
        kept[key] = {"first": first, "now": checksum, "state": states[path][2:]}
    store.put(kept)


def fingerprint(folder: Path | str, kept: Path) -> str:
    """Hash the names, sizes and times of all files below a folder, and contents that were replaced.

    Parameters
    ----------
    folder : path
    kept : Path
        Where :func:`remember` keeps contents; may be missing.

    Raises
    ------
    SpeechdtError
        If there is no such folder.
    """
    if not Path(folder).is_dir():
        raise SpeechdtError(f"corpus folder {folder} does not exist")
    digest = hashlib.sha256()
    found = sorted(entries(folder, follow=True), key=lambda entry: entry.entry.path)
    states = {entry.path: state(entry.path) for entry, problem in found if not problem}
    replaced = _replaced(states, kept) if kept.exists() else {}
    for entry, problem in found:
        name = readable(os.path.relpath(entry.path, folder))
        size, time, *_ = states.get(entry.path, (0, 0))
        other = f"|{replaced[entry.path]}" if entry.path in replaced else ""
        digest.update(f"{name}|{problem or f'{size}|{time}'}{other}\n".encode())
    return digest.hexdigest()[:16]


def _replaced(states: Mapping[str, tuple[int, ...]], kept: Path) -> dict[str, int]:
    """Return the checksums of files that have name, size and time of another before them."""
    try:
        store = Store(kept)
        known = store.get([_key(path, its) for path, its in states.items()])
        moved = [
            path
            for path, its in states.items()
            if (row := known.get(_key(path, its))) and row["state"] != list(its[2:])
        ]
        read = {path: checksum for path in moved if (checksum := content(path)) is not None}
        remember(store, read)
        store.close()
    except sqlite3.Error:  # of another's file, or one that cannot be written
        return {}
    now = {path: row["now"] for path, its in states.items() if (row := known.get(_key(path, its)))}
    first = {path: known[_key(path, states[path])]["first"] for path in now}
    return {path: value for path, value in (now | read).items() if value != first[path]}


def _key(path: str, its: Iterable[int]) -> bytes:
    size, time, *_ = its
    named: Any = ("content", os.path.normpath(path), size, time)
    return hashlib.sha256(repr(named).encode(errors="surrogateescape")).digest()
