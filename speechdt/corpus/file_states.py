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

from speechdt.audio import containers
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
    except (OSError, ValueError):  # the latter of names that no file can have
        return (0, 0, 0, 0)


def _of(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class Content(NamedTuple):
    """Content of a file.

    Attributes
    ----------
    checksum : int
        CRC-32 of all of it.
    state : tuple of int
        Its :func:`state`.
    container : bool
        Whether PyAV is what reads it, where there is PyAV.
    """

    checksum: int
    state: tuple[int, ...]
    container: bool


@lru_cache(maxsize=4)  # of a long recording every region asks
def _content(path: str, its: tuple[int, ...]) -> Content:
    checksum, read, container = 0, 0, False
    # Not by `open`, which asks the system five times as often.
    file = os.open(path, os.O_RDONLY)
    try:
        while read < its[0] and (length := os.readv(file, [_buffer])):
            if read == 0:
                container = bool(containers.kind_of(_buffer[: containers.HEAD].tobytes(), path))
            checksum = zlib.crc32(_buffer[:length], checksum)
            read += length
    finally:
        os.close(file)
    return Content(checksum, its, container)


def content(path: str) -> Content | None:
    """Return what a file holds, None if it cannot be read."""
    try:
        status = os.stat(path)
        return _content(path, _of(status)) if stat.S_ISREG(status.st_mode) else None
    except (OSError, ValueError):
        return None


def remember(store: Store, contents: Mapping[str, Content]) -> None:
    """Keep what files hold.

    Parameters
    ----------
    store : Store
    contents : mapping of str to Content
        By path.
    """
    keys = {path: _key(path, one.state) for path, one in contents.items()}
    before = store.get(list(keys.values()))
    kept = {}
    for path, (checksum, its, container) in contents.items():
        previous = before.get(keys[path], {})
        row = {"first": previous.get("first", checksum), "now": checksum, "state": its[1:]}
        if container:
            row["decoder"] = previous.get("decoder", containers.decoder())
        kept[keys[path]] = row
    store.put(kept)


def folder_state(folder: Path | str, kept: Path) -> str:
    """Hash the names and sizes of all files below a folder, and what else says of a change.

    That is the content of a file that was replaced, and the version of PyAV where a file is read by
    it: whoever installs it has those read, and no others. Before anything was read, names and sizes
    alone say what is there.

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
    listing = sorted(entries(folder, follow=True), key=lambda entry: entry.entry.path)
    states = {entry.path: state(entry.path) for entry, problem in listing if not problem}
    changed = _changed(states, kept) if kept.exists() else {}
    for entry, problem in listing:
        name = readable(os.path.relpath(entry.path, folder))
        size, *_ = states.get(entry.path, (0,))
        other = changed.get(entry.path, "")
        if containers.kind_of(b"", entry.path):
            other += f"|{containers.decoder()}"
        digest.update(f"{name}|{problem or size}{other}\n".encode())
    return digest.hexdigest()[:16]


def _changed(states: Mapping[str, tuple[int, ...]], kept: Path) -> dict[str, str]:
    """Return what has changed of files that have name and size as before.

    That is another content, or another PyAV where the name does not say that it reads the file.
    """
    try:
        store = Store(kept)
        stored = store.get([_key(path, its) for path, its in states.items()])
        rows = {path: row for path, its in states.items() if (row := stored.get(_key(path, its)))}
        moved = [path for path, row in rows.items() if row["state"] != list(states[path][1:])]
        read = {path: current for path in moved if (current := content(path))}
        remember(store, read)
        store.close()
    except sqlite3.Error:  # of another's file, or one that cannot be written
        return {}
    changed: dict[str, str] = {}
    for path, row in rows.items():
        now = read[path].checksum if path in read else row["now"]
        if now != row["first"]:
            changed[path] = f"|{now}"
        if row.get("decoder", containers.decoder()) != containers.decoder():
            changed[path] = f"{changed.get(path, '')}|{containers.decoder()}"
    return changed


def _key(path: str, its: Iterable[int]) -> bytes:
    size, *_ = its
    named: Any = ("content of size", os.path.normpath(path), size)
    return hashlib.sha256(repr(named).encode(errors="surrogateescape")).digest()
