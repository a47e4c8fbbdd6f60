"""SQLite key-value store of results that took long to compute."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PATIENCE_S = 120
"""How long one process waits for another that writes."""
_FEW = 500  # variables that any build of SQLite takes in one statement


class Store:
    """Values by key: numbers, text, and lists and dicts of these.

    Parameters
    ----------
    path : Path
        Database file; made if it is not there.
    """

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, timeout=PATIENCE_S)
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, value TEXT NOT NULL)"
        )

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Any]:
        """Return the values that are known, by key."""
        known: dict[bytes, Any] = {}
        for start in range(0, len(keys), _FEW):
            some = keys[start : start + _FEW]
            marks = ",".join("?" * len(some))
            rows = self._database.execute(
                f"SELECT key, value FROM kept WHERE key IN ({marks})", some
            )
            known.update((key, json.loads(value)) for key, value in rows)
        return known

    def put(self, values: Mapping[bytes, Any]) -> None:
        """Save values; once this returns, a killed process does not lose them."""
        rows = [(key, json.dumps(value)) for key, value in values.items()]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", rows)

    def close(self) -> None:
        """Close the file."""
        self._database.close()
