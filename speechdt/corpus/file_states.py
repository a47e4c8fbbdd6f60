"""Contents of files that were read, so that a replaced file is noticed and a copied one is not.

A file is known by name and size. Where its times or its inode differ from those that it had when it
was read, its content decides: another file put in its place counts as new; a copy of the whole
folder, or another clone of it, does not.
"""

import hashlib
import os
import sqlite3
import stat
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from speechdt.errors import SpeechdtError
from speechdt.files import entries, readable
from speechdt.store import Store

BLOCK = 1 << 20
"""Bytes that are read at a time."""
_buffer = memoryview(bytearray(BLOCK))


def state(path: Path | str) -> tuple[int, ...]:
    """Return size, time, time of the last change of any kind and inode of a file; zeros if none."""
    try:
        return _of(os.stat(path))
    except OSError:
        return (0, 0, 0, 0)


def _of(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class Content(NamedTuple):
    """Checksum of all of a file (CRC-32), and its :func:`state`."""

    checksum: int
    state: tuple[int, ...]


@lru_cache(maxsize=4)  # of a long recording every region asks
def _content(path: str, its: tuple[int, ...]) -> Content:
    checksum, read = 0, 0
    # Not by `open`, which asks the system five times as often.
    file = os.open(path, os.O_RDONLY)
    try:
        while read < its[0] and (length := os.readv(file, [_buffer])):
            checksum = zlib.crc32(_buffer[:length], checksum)
            read += length
    finally:
        os.close(file)
    return Content(checksum, its)


def content(path: str) -> Content | None:
    """Return what a file holds, None if it cannot be read."""
    try:
        status = os.stat(path)
        return _content(path, _of(status)) if stat.S_ISREG(status.st_mode) else None
    except OSError:
        return None


def remember(store: Store, contents: Mapping[str, Content]) -> None:
    """Keep what files hold.

    Parameters
    ----------
    store : Store
    contents : mapping of str to Content
        By path.
    """
    keys = {path: _key(path, its) for path, (_, its) in contents.items()}
    before = store.get(list(keys.values()))
    kept = {}
    for path, (checksum, its) in contents.items():
        first = before.get(keys[path], {}).get("first", checksum)
        kept[keys[path]] = {"first": first, "now": checksum, "state": its[1:]}
    store.put(kept)


def fingerprint(folder: Path | str, kept: Path) -> str:
    """Hash the names and sizes of all files below a folder, and contents that were replaced.

    Before anything was read, names and sizes alone say what is there.

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
        size, *_ = states.get(entry.path, (0,))
        other = f"|{replaced[entry.path]}" if entry.path in replaced else ""
        digest.update(f"{name}|{problem or size}{other}\n".encode())
    return digest.hexdigest()[:16]


def _replaced(states: Mapping[str, tuple[int, ...]], kept: Path) -> dict[str, int]:
    """Return the checksums of files that have name and size of another before them."""
    try:
        store = Store(kept)
        known = store.get([_key(path, its) for path, its in states.items()])
        moved = [
            path
            for path, its in states.items()
            if (row := known.get(_key(path, its))) and row["state"] != list(its[1:])
        ]
        read = {path: found for path in moved if (found := content(path))}
        remember(store, read)
        store.close()
    except sqlite3.Error:  # of another's file, or one that cannot be written
        return {}
    now = {path: row["now"] for path, its in states.items() if (row := known.get(_key(path, its)))}
    first = {path: known[_key(path, states[path])]["first"] for path in now}
    now |= {path: found.checksum for path, found in read.items()}
    return {path: checksum for path, checksum in now.items() if checksum != first[path]}


def _key(path: str, its: Iterable[int]) -> bytes:
    size, *_ = its
    named: Any = ("content of size", os.path.normpath(path), size)
    return hashlib.sha256(repr(named).encode(errors="surrogateescape")).digest()
