"""Common parts of the readers: folders, tables and labels of a publisher's tree."""

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from speechdt.audio import containers
from speechdt.corpus.sources import CorpusError
from speechdt.files import walk

READ = frozenset(
    [
        *(".wav", ".wave", ".bwf", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff"),
        *(".aifc", ".au", ".snd", ".caf", ".w64", ".rf64", ".sph", ".sphere", ".nist", ".voc"),
        *(".iff", ".svx", ".8svx", ".avr", ".paf", ".ircam"),
    ]
)
"""Names that are taken for audio that libsndfile reads."""
SUFFIXES = READ | containers.SUFFIXES
"""Names that are taken for audio."""
FIRST_LINE = 80
"""Characters of a table's first line that an error quotes."""


def expect(path: Path, what: str) -> Path:
    """Return a file or folder that must be there.

    Raises
    ------
    CorpusError
        Saying what was expected where.
    """
    if not path.exists():
        raise CorpusError(f"expected {path} ({what}), which does not exist")
    return path


def expect_recordings(folder: Path, what: str) -> None:
    """Look for any recording below a folder.

    Raises
    ------
    CorpusError
        Saying what was expected where.
    """
    if not folder.is_dir() or not any(map(is_recording, walk(folder))):
        raise CorpusError(f"expected recordings {folder}/{what}; there are none")


def is_recording(entry: os.DirEntry[str]) -> bool:
    """Say whether a file is audio by its name."""
    return os.path.splitext(entry.name)[1].lower() in SUFFIXES


def rows(table: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file as text, gaps as ''.

    Raises
    ------
    CorpusError
        If a column is missing, or the file is no text.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            lacking = [name for name in columns if name not in (reader.fieldnames or [])]
            if lacking:
                there = ",".join(reader.fieldnames or [])[:FIRST_LINE]
                raise CorpusError(
                    f"{table} lacks the column {', '.join(lacking)}; its first line, names of "
                    f"columns with commas between them, is '{there}'"
                )
            for row in reader:
                yield {str(name): value or "" for name, value in row.items() if name is not None}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{table} cannot be read as CSV ({error})") from error


def recordings(folder: Path) -> dict[str, str]:
    """Return the paths of all recordings below a folder by their name without suffix.

    Of a recording in a container (``x.mp4``) and beside it (``x.wav``) the latter is taken.

    Raises
    ------
    CorpusError
        If two have the same name.
    """
    paths: dict[str, str] = {}
    audio = filter(is_recording, walk(folder))
    for entry in sorted(audio, key=lambda entry: (_in_container(entry.path), entry.path)):
        first = paths.setdefault(Path(entry.name).stem, entry.path)
        if first != entry.path and _in_container(first) == _in_container(entry.path):
            raise CorpusError(f"{first} and {entry.path} have the same name")
    return paths


def _in_container(path: str) -> bool:
    return Path(path).suffix.lower() in containers.SUFFIXES


def artist_group(name: str) -> str:
    """Return the group of an artist, the same for every corpus and spelling."""
    letters = "".join(sign if sign.isalnum() else " " for sign in name.casefold())
    return "artist/" + "_".join(letters.split())
