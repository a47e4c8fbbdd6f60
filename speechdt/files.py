"""Listing and fingerprints of the files of a folder."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from speechdt.errors import SpeechdtError

SUFFIXES = frozenset(
    [
        *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc"),
        *(".au", ".caf", ".w64", ".rf64"),
    ]
)
"""Names that are taken for audio; other files in a corpus folder are left alone."""

LARGE = 64 * 2**20
"""Bytes above which a file is not read as a whole to be told from others."""
BEGINNING = 2**20
"""Bytes that are read of such a file: of safetensors, names and shapes."""


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
