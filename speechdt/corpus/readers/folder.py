"""Any folder, with a manifest or laid out by class and category."""

from collections.abc import Iterator
from pathlib import Path

from speechdt.files import walk
from speechdt.corpus.readers.times import COLUMNS, times
from speechdt.corpus.readers.tree import is_recording, rows
from speechdt.audio.region import region
from speechdt.corpus.sources import CATEGORIES, CorpusError, Source

REQUIRED = ("path", "label", "category", "group_id")
"""Columns that a manifest must have; others are kept."""
SEGMENT = ("start", "end", "offset")
"""Columns by which a row is a part of a recording."""
MEASURED = ("seconds", "peak", "downmix", "rumble_db", *COLUMNS)
"""Columns that are measured anew, or that the path of a region says."""

EXPECTED = "manifest.csv in it, or recordings in speech/… and nonspeech/<category>/…"
MISPLACED = (
    "expected in speech/… or nonspeech/<category>/… (categories: "
    f"{', '.join(CATEGORIES['NONSPEECH'])})"
)


def check(path: Path) -> None:
    """Refuse a folder without a manifest or the folders, or one whose manifest is no table.

    What is in it is listed later, and what cannot be used said file by file.

    Raises
    ------
    CorpusError
        Saying what was expected where.
    """
    manifest = path / "manifest.csv"
    if manifest.exists():
        if next(rows(manifest, REQUIRED), None) is None:
            raise CorpusError(f"{manifest} lists no recording; expected a line for each")
    elif not any(_label(entry.name) and entry.is_dir() for entry in path.iterdir()):
        raise CorpusError(
            f"corpus folder {path} has neither manifest.csv nor speech/ or nonspeech/; "
            f"expected {EXPECTED}"
        )


def read(path: Path) -> Iterator[Source]:
    """List the recordings of a folder.

    With a ``manifest.csv`` (columns path, label, category, group_id; others are kept) the manifest
    decides; a row with start and end, or offset and duration, is that region of its recording.
    Without one the folders do: ``speech/…`` and ``nonspeech/<category>/…``, where the
    group is the subfolder, or the file itself where there is none.

    Parameters
    ----------
    path : Path
        Folder of the corpus.

    Raises
    ------
    CorpusError
        If a manifest column is missing, or a time is none.
    """
    manifest = path / "manifest.csv"
    yield from _from_manifest(manifest) if manifest.exists() else _from_folders(path)


def _from_manifest(manifest: Path) -> Iterator[Source]:
    for fields in rows(manifest, REQUIRED):
        path = name = fields.pop("path")
        file = str(manifest.parent / path)
        if part := times(fields, f"{manifest}: {path}"):
            file = region(file, *part)
            # A duration alone says how long a recording is, and gives it no other name.
            name = region(path, *part) if any(map(fields.get, SEGMENT)) else path
        yield Source(
            path=file,
            source_id=fields.pop("source_id", "") or name,
            label=fields.pop("label"),
            category=fields.pop("category"),
            group_id=fields.pop("group_id"),
            extra={name: value for name, value in fields.items() if name not in MEASURED},
        )


def _from_folders(path: Path) -> Iterator[Source]:
    for entry in walk(path):
        file = Path(entry.path).relative_to(path)
        if not is_recording(entry):
            continue
        label = _label(file.parts[0])
        depth = 1 if label == "SPEECH" else 2
        known = len(file.parts) > depth and bool(label)
        category = file.parts[depth - 1].lower() if known else ""
        inside = len(file.parts) > depth + 1
        yield Source(
            path=entry.path,
            source_id=file.as_posix(),
            label=label if known else "",
            category=category,
            group_id="/".join(file.parts[: depth + 1]) if inside else file.as_posix(),
            extra={},
            reason="" if known else MISPLACED,
        )


def _label(folder: str) -> str:
    """Return the class that a folder is named after, in any case of letters, or ''."""
    return folder.upper() if folder.upper() in CATEGORIES else ""
