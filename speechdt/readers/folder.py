"""Any folder, with a manifest or laid out by class and category."""

from collections.abc import Iterator
from pathlib import Path

from speechdt.files import walk
from speechdt.readers.tree import is_recording, rows
from speechdt.sources import CATEGORIES, Source

REQUIRED = ("path", "label", "category", "group_id")
"""Columns that a manifest must have; others are kept."""

EXPECTED = "manifest.csv in it, or recordings in speech/… and nonspeech/<category>/…"


def check(path: Path) -> None:
    """Accept any folder: what is in it is listed, and what cannot be used said file by file."""


def read(path: Path) -> Iterator[Source]:
    """List the recordings of a folder.

    With a ``manifest.csv`` (columns path, label, category, group_id; others are kept) the manifest
    decides. Without one the folders do: ``speech/…`` and ``nonspeech/<category>/…``, where the
    group is the subfolder, or the file itself where there is none.

    Parameters
    ----------
    path : Path
        Folder of the corpus.

    Raises
    ------
    CorpusError
        If a manifest column is missing.
    """
    manifest = path / "manifest.csv"
    yield from _from_manifest(manifest) if manifest.exists() else _from_folders(path)


def _from_manifest(manifest: Path) -> Iterator[Source]:
    for fields in rows(manifest, REQUIRED):
        path = fields.pop("path")
        yield Source(
            path=str(manifest.parent / path),
            source_id=fields.pop("source_id", "") or path,
            label=fields.pop("label"),
            category=fields.pop("category"),
            group_id=fields.pop("group_id"),
            extra={name: v for name, v in fields.items() if name not in ("seconds", "peak")},
        )


def _from_folders(path: Path) -> Iterator[Source]:
    for entry in walk(path):
        file = Path(entry.path).relative_to(path)
        if not is_recording(entry):
            continue
        label = file.parts[0].upper()
        depth = 1 if label == "SPEECH" else 2
        known = len(file.parts) > depth and label in CATEGORIES
        category = file.parts[depth - 1] if known else ""
        inside = len(file.parts) > depth + 1
        yield Source(
            path=entry.path,
            source_id=file.as_posix(),
            label=label if known else "",
            category=category,
            group_id="/".join(file.parts[: depth + 1]) if inside else file.as_posix(),
            extra={},
        )
