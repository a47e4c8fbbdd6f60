"""Listing of the files of a folder, unreadable ones included, and hashes of their contents."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

NOWHERE = "link to nowhere"
CYCLE = "link cycle"
OUTSIDE = "link out of the corpus folder (the corpus option 'outside: allow' follows it)"
ODD_NAME = "name is not UTF-8"
KINDS = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a device",
         stat.S_IFCHR: "a device"}  # fmt: skip
"""What is no regular file, and is never opened."""


class Entry(NamedTuple):
    """An entry of a folder, and why it cannot be read, '' if it can."""

    entry: os.DirEntry[str]
    problem: str


LARGE = 64 * 2**20
"""Bytes above which a file is not read as a whole to be told from others."""
BEGINNING = 2**20
"""Bytes that are read of such a file: of safetensors, names and shapes."""


def walk(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    """Yield the files below a folder, but for hidden ones and those in hidden folders.

    Links are followed, wherever they lead, but never in a circle. What cannot be read is passed
    over; :func:`entries` names it.
    """
    for entry, problem in entries(folder, follow=True):
        if not problem:
            yield entry


def entries(folder: Path | str, *, follow: bool = False) -> Iterator[Entry]:
    """Yield what lies below a folder, but for folders that can be listed and what is hidden.

    Parameters
    ----------
    folder : path
    follow : bool
        Whether links may lead out of the folder; otherwise those are a problem, `OUTSIDE`.
    """
    real = os.path.realpath(folder)
    yield from _below(str(folder), real, (real,), follow)


def _below(folder: str, top: str, above: tuple[str, ...], follow: bool) -> Iterator[Entry]:
    with os.scandir(folder) as listing:
        for entry in listing:
            if entry.name.startswith("."):
                continue
            problem = _problem(entry, top, above, follow)
            if problem or not entry.is_dir():
                yield Entry(entry, problem)
                continue
            real = (
                os.path.realpath(entry.path) if entry.is_symlink() else f"{above[-1]}/{entry.name}"
            )
            try:
                yield from _below(entry.path, top, (*above, real), follow)
            except OSError as error:
                yield Entry(entry, f"folder cannot be listed ({error.strerror})")


def _problem(entry: os.DirEntry[str], top: str, above: tuple[str, ...], follow: bool) -> str:
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        return ODD_NAME
    if not entry.is_symlink():
        if entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False):
            return ""
        return _special(entry.stat(follow_symlinks=False).st_mode)
    try:
        mode = entry.stat().st_mode
    except OSError as error:
        return CYCLE if error.errno == errno.ELOOP else NOWHERE
    real = os.path.realpath(entry.path)
    if real in above:
        return CYCLE
    if not follow and os.path.commonpath([real, top]) != top:
        return OUTSIDE
    return "" if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else _special(mode)


def _special(mode: int) -> str:
    return f"no file but {KINDS.get(stat.S_IFMT(mode), 'something else')}"


def readable(path: str) -> str:
    """Return a path as text that any file can hold: bytes that are no UTF-8 are written out."""
    return os.fsencode(path).decode(errors="backslashreplace")


def content_hash(path: Path) -> str:
    """Hash a file, or the names and contents of all files of a folder.

    Of a file above `LARGE`, such as the weights of a language model, its size, its time and its
    beginning stand for the content: reading 60 GB takes minutes, for every job.
    """
    files = sorted(Path(entry.path) for entry in walk(path)) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{os.path.relpath(file, path)}|".encode())
        status = file.stat()
        with file.open("rb") as stream:
            if status.st_size > LARGE:
                digest.update(f"{status.st_size}|{status.st_mtime_ns}|".encode())
                digest.update(hashlib.sha256(stream.read(BEGINNING)).digest())
            else:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]
