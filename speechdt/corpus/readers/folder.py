"""Any folder, with a manifest or laid out by class and category."""

import os
from collections.abc import Iterator
from pathlib import Path

from speechdt.audio.region import region
from speechdt.corpus.readers.remainder import is_ignored
from speechdt.corpus.readers.times import COLUMNS, times
from speechdt.corpus.readers.tree import is_recording, rows
from speechdt.corpus.sources import CATEGORIES, VOCALS, CorpusError, Source
from speechdt.files import entries

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
UNKNOWN = "no kind of audio by its name"
ALLOWED = "allow"
LEADS_OUT = "leads out of the corpus folder (the corpus option 'outside: allow' takes it)"
NOT_USED = {
    **dict.fromkeys(("channel", "channels", "gain", "weight"), "recordings are taken as they are"),
    **dict.fromkeys(("split", "subset", "fold", "partition", "set"), "the split is drawn anew"),
    **dict.fromkeys(
        ("speaker", "speaker_id", "spk", "spk_id", "talker", "client_id", "session"),
        "group_id says what stays together",
    ),
    **dict.fromkeys(
        ("begin", "stop", "onset", "from", "to", "start_s", "end_s", "start_time", "end_time"),
        "a region is start and end, or offset and duration",
    ),
}
"""Columns whose names suggest a meaning that nothing here gives them, and what is done instead."""
SUNG = {
    **dict.fromkeys(("no", "false", "0", "n", "none"), "no"),
    **dict.fromkeys(("yes", "true", "1", "y"), "yes"),
}
"""How a manifest may say whether there is singing."""


def check(path: Path, outside: str = "refuse") -> None:
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


def read(path: Path, outside: str = "refuse") -> Iterator[Source]:
    """List the recordings of a folder.

    With a ``manifest.csv`` (columns path, label, category, group_id; others are kept) the manifest
    decides; a row with start and end, or offset and duration, is that region of its recording.
    Without one the folders do: ``speech/…`` and ``nonspeech/<category>/…``, where the
    group is the subfolder, or the file itself where there is none.

    Parameters
    ----------
    path : Path
        Folder of the corpus.
    outside : {"refuse", "allow"}
        What becomes of links, and of rows of the manifest, that lead out of the folder.

    Raises
    ------
    CorpusError
        If a manifest column is missing, or a time is none.
    """
    manifest = path / "manifest.csv"
    refused = _Outside(path) if outside != ALLOWED else None
    if manifest.exists():
        yield from _from_manifest(manifest, refused)
    else:
        yield from _from_folders(path, follow=refused is None)


class _Outside:
    """Says whether files lie outside of a folder, wherever links lead."""

    def __init__(self, folder: Path):
        self._top = os.path.realpath(folder)
        self._real: dict[str, str] = {}

    def reason(self, file: str) -> str:
        """Return why a file is refused, '' if it is not."""
        above, name = os.path.split(file)
        try:
            if above not in self._real:
                self._real[above] = os.path.realpath(above)
            real = f"{self._real[above]}/{name}"
            if name in ("", ".", "..") or os.path.islink(file):
                real = os.path.realpath(file)
        except ValueError:
            return ""  # a name that no file can have: it is missing
        return "" if real.startswith(f"{self._top}/") else LEADS_OUT


def _from_manifest(manifest: Path, outside: _Outside | None) -> Iterator[Source]:
    for fields in rows(manifest, REQUIRED):
        path = name = _as_here(manifest.parent, fields.pop("path"))
        if vocals := fields.get("vocals", "").strip().lower():
            fields["vocals"] = SUNG.get(vocals, vocals if vocals in VOCALS else VOCALS[1])
        file = str(manifest.parent / path)
        reason = outside.reason(file) if outside else ""
        if part := times(fields, f"{manifest}: {path}"):
            file = region(file, *part)
            # A duration alone says how long a recording is, and gives it no other name.
            name = region(path, *part) if any(map(fields.get, SEGMENT)) else path
        yield Source(
            path=file,
            source_id=fields.pop("source_id", "") or name,
            label=_class(fields.pop("label")),
            category=fields.pop("category").strip().lower(),
            group_id=fields.pop("group_id").strip(),
            extra={name: value for name, value in fields.items() if name not in MEASURED},
            reason=reason,
        )


def _class(label: str) -> str:
    """Return a label as it is written here, whatever its case: 'Non-speech' is NONSPEECH."""
    letters = "".join(sign for sign in label.upper() if sign not in " -_")
    return letters if letters in CATEGORIES else label


def _as_here(folder: Path, path: str) -> str:
    """Return a path of a manifest, with slashes where it was written on Windows."""
    return path if os.path.exists(folder / path) else path.replace("\\", "/")


def notes(path: Path) -> list[str]:
    """Return a line on columns of the manifest that are not used, though they seem to mean much."""
    manifest = path / "manifest.csv"
    row = next(rows(manifest, REQUIRED), {}) if manifest.exists() else {}
    reasons: dict[str, list[str]] = {}
    for name in row:
        if reason := NOT_USED.get(name.strip().lower()):
            reasons.setdefault(reason, []).append(name)
    named = [f"{', '.join(names)} ({reason})" for reason, names in reasons.items()]
    return [f"{manifest}: columns that are not used: {'; '.join(named)}"] if named else []


def _from_folders(path: Path, *, follow: bool) -> Iterator[Source]:
    for entry, problem in entries(path, follow=follow):
        if problem or is_ignored(entry.name):
            continue
        file = Path(entry.path).relative_to(path)
        label = _label(file.parts[0])
        depth = 1 if label == "SPEECH" else 2
        placed = len(file.parts) > depth and bool(label)
        category = file.parts[depth - 1].lower() if placed else ""
        inside = len(file.parts) > depth + 1
        yield Source(
            path=entry.path,
            source_id=file.as_posix(),
            label=label if placed else "",
            category=category,
            group_id="/".join(file.parts[: depth + 1]) if inside else file.as_posix(),
            extra={},
            reason=(MISPLACED if not placed else "") if is_recording(entry) else UNKNOWN,
        )


def _label(folder: str) -> str:
    """Return the class that a folder is named after, in any case of letters, or ''."""
    return folder.upper() if folder.upper() in CATEGORIES else ""
