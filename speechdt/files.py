"""Listing and fingerprints of the files of a folder."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from speechdt.errors import SpeechdtError


def walk(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    """Yield the files below a folder, but for hidden ones and those in hidden folders."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from walk(entry.path)
            else:
                yield entry


def fingerprint(folder: Path | str) -> str:
    """Hash the names, sizes and times of all files below a folder.

    Raises
    ------
    SpeechdtError
        If there is no such folder.
    """
    if not Path(folder).is_dir():
        raise SpeechdtError(f"corpus folder {folder} does not exist")
    digest = hashlib.sha256()
    for file in sorted(walk(folder), key=lambda entry: entry.path):
        status = file.stat()
        name = os.path.relpath(file.path, folder)
        digest.update(f"{name}|{status.st_size}|{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def content_hash(path: Path) -> str:
    """Hash a file, or the names and contents of all files of a folder."""
    files = sorted(Path(entry.path) for entry in walk(path)) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{os.path.relpath(file, path)}|".encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]
