"""SQLite key-value store of results that took long to compute."""

import json
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from speechdt import checksums

PATIENCE_S = 120
"""How long one process waits for another that writes."""
VERSION = 1
"""Of the table; a file of another is left as it is, and one of another name used."""
_FEW = 500  # variables that any build of SQLite takes in one statement


class Store:
    """Values by key: numbers, text, and lists and dicts of these.

    Parameters
    ----------
    path : Path
        Database file; made if it is not there, or set aside and made anew if it is damaged.
    under : Path, optional
        Database file that is read where this one knows nothing, if it is there.
    """

    def __init__(self, path: Path, under: Path | None = None):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = _opened(path)
        below = under is not None and under.exists()
        self._under = Store(under) if below and under else None

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Any]:
        """Return the values that are known, by key."""
        known: dict[bytes, Any] = {}
        for start in range(0, len(keys), _FEW):
            some = keys[start : start + _FEW]
            marks = ",".join("?" * len(some))
            rows = self._database.execute(
                f"SELECT key, value FROM kept WHERE key IN ({marks})", some
            )
            known.update(_readable(rows))
        if self._under and len(known) < len(keys):
            known = self._under.get([key for key in keys if key not in known]) | known
        return known

    def everything(self) -> dict[bytes, Any]:
        """Return all values of this file, by key."""
        rows = self._database.execute("SELECT key, value FROM kept ORDER BY key")
        return dict(_readable(rows))

    def put(self, values: Mapping[bytes, Any]) -> None:
        """Save values; once this returns, a killed process does not lose them."""
        rows = [(key, json.dumps(value)) for key, value in values.items()]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", rows)

    def close(self) -> None:
        """Close the file."""
        self._database.close()
        if self._under:
            self._under.close()


def _readable(rows: Iterable[tuple[bytes, str]]) -> Iterator[tuple[bytes, Any]]:
    """Yield keys and values; what is no JSON is as if it were not there."""
    for key, value in rows:
        try:
            read = json.loads(value)
        except (ValueError, TypeError):
            continue
        yield key, read


def _opened(path: Path) -> sqlite3.Connection:
    """Open a database; one that is damaged is called so, set aside and begun anew.

    The journal is the plain one: the write-ahead log needs memory that processes share, which
    network file systems do not have.
    """
    version, problem = _state(path) if os.path.lexists(path) else (0, "")
    if version not in (0, VERSION) and not problem:
        return _opened(path.with_name(f"{path.stem}-v{VERSION}{path.suffix}"))
    if problem:
        away = checksums.set_aside(path)
        for journal in (f"{path.name}-journal", f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(journal).unlink(missing_ok=True)
        print(checksums.told(path, problem, away), file=sys.stderr)
    database = sqlite3.connect(path, timeout=PATIENCE_S)
    if problem or not version:
        database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, value TEXT NOT NULL)")
    return database


def _state(path: Path) -> tuple[int, str]:
    """Return the version of a database, and what is wrong with it, '' if nothing is.

    Raises
    ------
    sqlite3.OperationalError
        If others keep it locked, which says nothing about it.
    """
    if not path.is_file():
        return VERSION, "it is no file"
    if not os.access(path, os.R_OK | os.W_OK):
        return VERSION, "it may not be read and written"
    with closing(sqlite3.connect(path, timeout=PATIENCE_S)) as database:
        try:
            version = int(database.execute("PRAGMA user_version").fetchone()[0])
            if not version and database.execute("PRAGMA page_count").fetchone()[0]:
                version = 1  # before versions were noted
            found = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
            columns = [row[1] for row in database.execute("PRAGMA table_info(kept)")]
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise
            return VERSION, str(error)
    if found == "ok" and version in (0, VERSION) and columns not in ([], ["key", "value"]):
        found = "it holds other columns"
    return version, "" if found == "ok" else found.splitlines()[-1]
