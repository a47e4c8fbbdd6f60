"""Remainder of a corpus folder: files that no reader takes, each listed, counted or ignored."""

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from speechdt.corpus.readers.tree import SUFFIXES
from speechdt.corpus.sources import Source
from speechdt.files import entries, readable

IGNORED = frozenset(
    [
        *(".txt", ".md", ".rst", ".csv", ".tsv", ".json", ".jsonl", ".yaml", ".yml", ".xml"),
        *(".html", ".htm", ".pdf", ".doc", ".docx", ".rtf", ".odt", ".xls", ".xlsx", ".ods"),
        *(".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".tif", ".tiff", ".bmp", ".ico"),
        *(".rttm", ".ctm", ".stm", ".lab", ".textgrid", ".eaf", ".trs", ".srt", ".vtt", ".phn"),
        *(".wrd", ".trn", ".uem", ".elan", ".log", ".ini", ".cfg", ".toml", ".bib", ".tex"),
        *(".py", ".sh", ".m", ".r", ".ipynb", ".bat", ".js", ".css", ".db", ".pkl", ".npy", ".npz"),
        *(".parquet", ".h5", ".hdf5", ".mat", ".pt", ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz"),
        *(".7z", ".rar", ".md5", ".sha1", ".sha256", ".sha512", ".part", ".tmp", ".bak", ".url"),
        *(".pk", ".asd", ".reapeaks", ".aup", ".aup3", ".lnk", ".torrent", ".sig", ".asc"),
    ]
)
"""Names of what is no audio: text, images, tables, annotations, archives, editors' own files."""
IGNORED_NAMES = frozenset(
    [
        *("readme", "license", "licence", "copying", "copyright", "authors", "attribution"),
        *("annotations", "notice", "credits", "changelog", "changes", "makefile", "md5sum"),
        *("md5sums", "sha1sums", "sha256sums", "checksums", "thumbs", "desktop", "index", "todo"),
    ]
)
"""Names without a suffix of what is no audio."""
MOST_NAMED = 8
"""Kinds of ignored files that a line names."""


def is_ignored(name: str) -> bool:
    """Say whether a file is no audio by its name."""
    suffix = os.path.splitext(name)[1].lower()
    return suffix in IGNORED or (not suffix and name.lower() in IGNORED_NAMES)


def odd(
    folder: Path, used: Callable[[], Collection[str]], *, follow: bool = False
) -> Iterator[Source]:
    """Yield what cannot be read at all: links that lead nowhere or out, FIFOs, odd names.

    Parameters
    ----------
    folder : Path
    used : callable
        Returns the files that the corpus has, normalised.
    follow : bool
        Whether links may lead out of the folder.
    """
    for entry, problem in entries(folder, follow=follow):
        if problem and os.path.normpath(entry.path) not in used():
            name = readable(os.path.relpath(entry.path, folder))
            yield Source(readable(entry.path), name, "", "", "", {}, reason=problem)


def notes(name: str, folder: Path, used: Collection[str]) -> list[str]:
    """Return a line on files that are no audio, and one on audio that no list of the corpus has.

    Parameters
    ----------
    name : str
        What the corpus is called.
    folder : Path
    used : collection of str
        Files that are used or rejected, normalised.
    """
    kinds: Counter[str] = Counter()
    unlisted = []
    for entry, problem in entries(folder):
        path = os.path.normpath(entry.path)
        if problem or path in used or path == os.path.normpath(folder / "manifest.csv"):
            continue
        suffix = Path(entry.name).suffix.lower()
        if suffix in SUFFIXES:
            unlisted.append(os.path.relpath(entry.path, folder))
        else:
            kinds[suffix or entry.name] += 1
    lines = []
    if kinds:
        order = sorted(kinds, key=lambda kind: (-kinds[kind], kind))
        named = [f"{kinds[kind]} {kind}" for kind in order[:MOST_NAMED]]
        more = ["…"] if len(kinds) > MOST_NAMED else []
        lines.append(f"{name}: files that are no audio, and left alone: {', '.join(named + more)}")
    if unlisted:
        lines.append(
            f"{name}: {len(unlisted)} audio files that its list does not name are left alone, "
            f"such as {min(unlisted)}"
        )
    return lines
