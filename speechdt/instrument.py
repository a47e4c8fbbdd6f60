"""Version of the instrument: of its definitions and of the embedded corpus.

Two audiograms compare only if the same instrument took them. What a threshold or an interval is
(docs/method.md) has a version, and so have the recordings in ``corpus/``; both stand on every page
and release and on tables for readers, and beside the CSV files in ``tables/instrument.json``: a
line above the header would break whatever reads them, a column be the same in every row.

    python -m speechdt.instrument results other/results
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

DEFINITIONS = 3
"""Raised whenever a figure means something else than before, for the same answers."""
CORPUS = 2
"""Raised whenever a recording, label or group of the embedded corpus changes."""
MANIFEST = "0df7ed7faf3b8b3f4b397c76d669c6c09aea3cdb0528701ae58e187796a24ec5"
"""SHA-256 of the manifest of that corpus."""
VERSION = f"{DEFINITIONS}.{CORPUS}"
STAMP = f"instrument {VERSION} (definitions {DEFINITIONS}, embedded corpus {CORPUS})"
FILE = "instrument.json"
UNSTAMPED = "1.1"
"""Of tables from before there were versions."""


def record() -> str:
    """Return the content of ``tables/instrument.json``."""
    versions = {"instrument": VERSION, "definitions": DEFINITIONS, "corpus": CORPUS}
    return json.dumps(versions, indent=2) + "\n"


def version_of(results: Path | str) -> str:
    """Return the version behind a folder of results, or of tables."""
    for folder in (Path(results), Path(results) / "tables"):
        if (folder / FILE).exists():
            return str(json.loads((folder / FILE).read_text())["instrument"])
    return UNSTAMPED


def warning(folders: Sequence[Path | str]) -> str:
    """Return what must be said before tables of several runs are compared, or nothing."""
    versions = {str(folder): version_of(folder) for folder in folders}
    if len(set(versions.values())) < 2:
        return ""
    listed = ", ".join(f"{folder} is of {version}" for folder, version in versions.items())
    return f"warning: different instruments took these figures, which do not compare: {listed}"


if __name__ == "__main__":
    sys.exit(warning(sys.argv[1:]) or None)
