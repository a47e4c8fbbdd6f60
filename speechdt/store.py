"""SQLite key-value store of results that took long to compute."""

import json
import os
import sqlite3
import sys
import zlib
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
        self._path = path if _is_of(path, self._database) else _of_version(path)
        below = under is not None and under.exists()
        self._under = Store(under) if below and under else None

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Any]:
        """Return the values that are stored, by key."""
        stored: dict[bytes, Any] = {}
        for start in range(0, len(keys), _FEW):
            some = keys[start : start + _FEW]
            marks = ",".join("?" * len(some))
            stored |= self._read(f"SELECT key, value FROM kept WHERE key IN ({marks})", some)
        if self._under and len(stored) < len(keys):
            stored = self._under.get([key for key in keys if key not in stored]) | stored
        return stored

    def everything(self) -> dict[bytes, Any]:
        """Return all values of this file, by key."""
        return self._read("SELECT key, value FROM kept ORDER BY key")

    def put(self, values: Mapping[bytes, Any]) -> None:
        """Save values; once this returns, a killed process does not lose them."""
        rows = [(key, _signed(key, value)) for key, value in values.items()]
        for attempt in ("first", "last"):
            try:
                with self._database:
                    self._database.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", rows)
                return
            except sqlite3.DatabaseError as error:
                if attempt == "last":
                    raise
                self._begin_anew(error)

    def _read(self, query: str, variables: Sequence[bytes] = ()) -> dict[bytes, Any]:
        try:
            return dict(self._readable(self._database.execute(query, variables)))
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)
            return {}

    def _begin_anew(self, error: sqlite3.DatabaseError) -> None:
        """Set aside a file whose damage shows only now; locks and full disks are none."""
        if isinstance(error, sqlite3.OperationalError):
            raise error
        self._database.close()
        _set_aside(self._path, str(error))
        self._database = _opened(self._path)

    def _readable(self, rows: Iterable[tuple[bytes, str]]) -> Iterator[tuple[bytes, Any]]:
        """Yield keys and values; what is not as it was written is as if it were not there."""
        damaged = 0
        for key, signed in rows:
            try:
                text, tab, sum_ = signed.partition("\t")
                if tab and sum_ != _sum(key, text):  # values of before have no sum
                    raise ValueError
                read = json.loads(text)
            except (ValueError, TypeError, AttributeError):
                damaged += 1
                continue
            yield key, read
        if damaged:
            print(f"{self._path}: values are damaged ({damaged}), and unknown", file=sys.stderr)

    def close(self) -> None:
        """Close the file."""
        self._database.close()
        if self._under:
            self._under.close()


def _signed(key: bytes, value: Any) -> str:
    """Return a value as text that tells whether it is as it was written, under which key."""
    text = json.dumps(value)
    return f"{text}\t{_sum(key, text)}"


def _sum(key: bytes, text: str) -> str:
    return f"{zlib.crc32(text.encode(), zlib.crc32(key)):08x}"


def _opened(path: Path) -> sqlite3.Connection:
    """Open a database; one that is damaged is called so, set aside and begun anew.

    The journal is the plain one: the write-ahead log needs memory that processes share, which
    network file systems do not have.
    """
    version, problem = _state(path) if os.path.lexists(path) else (0, "")
    if version not in (0, VERSION) and not problem:
        return _opened(_of_version(path))
    if problem:
        _set_aside(path, problem)
    # One thread after the other uses it: another saves scores than that which asks for them.
    database = sqlite3.connect(path, timeout=PATIENCE_S, check_same_thread=False)
    if problem or not version:
        database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, value TEXT NOT NULL)")
    return database


def _of_version(path: Path) -> Path:
    return path.with_name(f"{path.stem}-v{VERSION}{path.suffix}")


def _is_of(path: Path, database: sqlite3.Connection) -> bool:
    """Say whether a database is that file, and not the one beside it of this version."""
    return Path(database.execute("PRAGMA database_list").fetchone()[2]).name == path.name


def _set_aside(path: Path, problem: str) -> None:
    away = checksums.set_aside(path)
    for journal in (f"{path.name}-journal", f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(journal).unlink(missing_ok=True)
    print(checksums.damage_line(path, problem, away), file=sys.stderr)


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
            diagnosis = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
            columns = [row[1] for row in database.execute("PRAGMA table_info(kept)")]
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise
            return VERSION, str(error)
    if diagnosis == "ok" and version in (0, VERSION) and columns not in ([], ["key", "value"]):
        diagnosis = "it holds other columns"
    return version, "" if diagnosis == "ok" else diagnosis.splitlines()[-1]
