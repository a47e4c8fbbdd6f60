"""Checksums of expensive outputs, which show damage when a file is opened.

The files of a folder are listed as ``sha256sum`` lists them, in ``FOLDER.sha256`` beside it, so
that ``cd FOLDER && sha256sum -c ../FOLDER.sha256`` says the same. A list is written once all that
it names is on the disk. What was made elsewhere has no list, and is left alone.
"""

import errno
import hashlib
import math
import os
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path

from speechdt.errors import SpeechdtError
from speechdt.files import walk

SUFFIX, AWAY = ".sha256", ".damaged"
_LINE = re.compile(r"([0-9a-f]{64})  ([^\0]+)")
LARGEST = 2**30
"""Bytes above which a file is not hashed by those who use it: a checkpoint's, not an adapter's."""
NOT_OF_THE_FILE = {
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO),
    *(errno.ESTALE, errno.ETIMEDOUT, errno.EINTR, errno.EAGAIN),
}
"""Errors of a machine in trouble, which say nothing of the file that it reads."""


class Damaged(SpeechdtError):
    """Something that was made here is not as it was written; it has been set aside."""


def list_of(folder: Path) -> Path:
    """Return where the checksums of a folder are."""
    return folder.with_name(f"{folder.name}{SUFFIX}")


def write(folder: Path, into: Path | None = None, skipped: Collection[str] = ()) -> None:
    """Put the files of a folder on the disk, and then list their checksums.

    Parameters
    ----------
    folder : Path
    into : Path, optional
        The list; :func:`list_of` the folder by default.
    skipped : collection of str
        Patterns of names that are not listed.
    """
    into = into or list_of(folder)
    lines = []
    for file in sorted(Path(entry.path) for entry in walk(folder)):
        name = file.relative_to(folder).as_posix()
        if file != into and not any(fnmatch(name, pattern) for pattern in skipped):
            lines.append(f"{digest_of(file, synced=True)}  {name}\n")
    sync_folder(folder)
    new = into.with_name(f"{into.name}.new")
    new.write_text("".join(lines), encoding="utf-8")
    sync(new)
    new.replace(into)
    sync_folder(into.parent)


def damage(
    folder: Path,
    into: Path | None = None,
    only: Sequence[str] = (),
    largest: float = math.inf,
) -> str:
    """Return in what a folder is not as it was written; '' if it is.

    Parameters
    ----------
    folder, into
        As for :func:`write`.
    only : sequence of str
        Names of the files that are looked at; all that are listed by default.
    largest : float
        Bytes above which a file only has to be there: reading a checkpoint twice takes minutes.
    """
    try:
        text = (into or list_of(folder)).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return "its checksums cannot be read"
    lines = [_LINE.fullmatch(line) for line in text.removesuffix("\n").split("\n")]
    if not text.endswith("\n") or None in lines:
        return "its checksums are no such list"
    listed = {line[2]: line[1] for line in lines if line}
    for name in only or listed:
        file = folder / name
        try:
            if file.stat().st_size <= largest and listed.get(name) != digest_of(file):
                return f"{name} is not as it was written"
        except OSError as error:
            if error.errno in NOT_OF_THE_FILE:
                raise
            return f"{name}: {error.strerror}"
    return ""


def check(folder: Path | str) -> None:
    """Set a folder aside that is not as it was written here.

    Raises
    ------
    Damaged
        If it has a list, and differs from it.
    """
    if line := set_damaged_aside(Path(folder)):
        raise Damaged(line + AGAIN)


def set_damaged_aside(folder: Path) -> str:
    """Set a folder aside that differs from its list; return the line that says so, or ''.

    Of files above `LARGEST`, the weights of a checkpoint, it is only asked whether they are there.
    """
    if not (list_of(folder).exists() and os.path.lexists(folder)):
        return ""
    problem = damage(folder, largest=LARGEST)
    if not problem:
        return ""
    destination = set_aside(folder)
    _remove(list_of(folder))
    return damage_line(folder, problem, destination)


def damage_of_file(file: Path, digest: str) -> str:
    """Return in what a file is not as it was written; '' if it is, or is not there.

    Parameters
    ----------
    file : Path
    digest : str
        SHA-256 of what was written.
    """
    if not os.path.lexists(file):
        return ""
    try:
        return "" if digest_of(file) == digest else "it is not as it was written"
    except OSError as error:
        if error.errno in NOT_OF_THE_FILE:
            raise
        return str(error.strerror)


AGAIN = "; run again, and it is made anew"


def damage_line(path: Path, problem: str, destination: Path) -> str:
    """Return the line that says what was damaged, and where it is now."""
    problem = " ".join(problem.split())
    return f"{path} is damaged ({problem}): set aside as {destination.name}"


def set_aside(path: Path) -> Path:
    """Rename a file or folder, and what was set aside under that name before is gone."""
    destination = away(path)
    _remove(destination)
    with suppress(FileNotFoundError):  # another process was first
        path.rename(destination)
    return destination


def away(path: Path) -> Path:
    """Return where a file or folder is set aside."""
    return path.with_name(f"{path.name}{AWAY}")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def guarded(path: Path, *errors: type[Exception]) -> Iterator[None]:
    """Set a file aside that was made here if the block fails to read it.

    Parameters
    ----------
    path : Path
    *errors : types
        That tell of damage, beside an OSError.

    Raises
    ------
    Damaged
        In place of these; a file that is not there, and a machine in trouble, raise what they do.
    """
    caught: tuple[type[Exception], ...] = (OSError, *errors)
    try:
        yield
    except (FileNotFoundError, MemoryError):
        raise
    except caught as error:
        if isinstance(error, OSError) and error.errno in NOT_OF_THE_FILE:
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise Damaged(damage_line(path, reason, set_aside(path)) + AGAIN) from error


def sync(file: Path) -> None:
    """Put a file on the disk: what a crash of the machine leaves, too."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk; some file systems have no need of it, and refuse."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def digest_of(file: Path, *, synced: bool = False) -> str:
    """Return the SHA-256 of a file, which is put on the disk before if that is asked for."""
    with file.open("rb") as opened:
        if synced:
            os.fsync(opened.fileno())
        return hashlib.file_digest(opened, "sha256").hexdigest()
