"""What was measured of recordings, kept on disk: a killed or extended index reads no file twice."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_FEW = 500  # variables that any build of SQLite takes in one statement


class FactStore:
    """Facts of recordings by key, see :func:`key`.

    Parameters
    ----------
    path : Path
        Database file; made if it is not there.
    """

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path)
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS facts (source BLOB PRIMARY KEY, facts TEXT NOT NULL)"
        )

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Any]:
        """Return the facts that are known, by key."""
        known: dict[bytes, Any] = {}
        for start in range(0, len(keys), _FEW):
            some = keys[start : start + _FEW]
            marks = ",".join("?" * len(some))
            rows = self._database.execute(
                f"SELECT source, facts FROM facts WHERE source IN ({marks})", some
            )
            known.update((name, json.loads(facts)) for name, facts in rows)
        return known

    def put(self, facts: dict[bytes, Any]) -> None:
        """Save facts; once this returns, a killed process does not lose them."""
        rows = [(name, json.dumps(value)) for name, value in facts.items()]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)


def key(path: str, *circumstances: object) -> bytes:
    """Return the key of a recording: its path, its file's size and time, and the circumstances.

    Parameters
    ----------
    path : str
        A file, a region of a file (``file.wav#t=…``), or a name without a file.
    circumstances : objects
        What else its facts depend on, with a `repr` that says all of it.
    """
    try:
        status = os.stat(path.split("#t=")[0])
        state = (status.st_size, status.st_mtime_ns)
    except OSError:
        state = (0, 0)
    return hashlib.sha256(repr((path, state, circumstances)).encode()).digest()
