"""The store of results: damage is noticed and healed, and parts do not share a file."""

import sqlite3
import subprocess
import sys

import pytest
from support import damages

from speechdt import store
from speechdt.detectors.parts import WHOLE, share, store_of
from speechdt.store import Store

VALUES = {bytes([i]) * 32: i / 7 for i in range(200)}


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "kept.sqlite"
    made = Store(path)
    made.put(VALUES)
    made.close()
    return path


def overwrite(at, content):
    def damage(path):
        data = bytearray(path.read_bytes())
        data[at : at + len(content)] = content
        path.write_bytes(data)

    return damage


DAMAGES = {
    "empty header": overwrite(0, bytes(100)),
    "random header": overwrite(0, bytes(range(100))),
    "page zeroed": overwrite(4096, bytes(4096)),
    "pages random": overwrite(2048, bytes(range(256)) * 16),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "cut to 10 bytes": lambda path: path.write_bytes(path.read_bytes()[:10]),
    "text": lambda path: path.write_text("not a database, but long enough to be read as one" * 99),
    "other columns": lambda path: alter(path, "ALTER TABLE kept RENAME COLUMN value TO what"),
    "page counts": overwrite(28, b"\xff\xff\xff\xff"),
    "last page": lambda path: overwrite(path.stat().st_size - 4096, b"\x99" * 4096)(path),
}


def alter(path, statement):
    with sqlite3.connect(path) as database:
        database.execute(statement)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named_set_aside_and_healed(kept, capsys, damage):
    DAMAGES[damage](kept)
    opened = Store(kept)
    stored = opened.get(list(VALUES))
    message = capsys.readouterr().err
    # What is left is right; where all is lost, that is said in one line that names the file.
    assert stored.items() <= VALUES.items()
    assert stored == VALUES or (message.count("\n") == 1 and str(kept) in message)
    assert stored == VALUES or kept.with_name("kept.sqlite.damaged").exists()
    opened.put(VALUES)
    opened.close()
    assert Store(kept).get(list(VALUES)) == VALUES
    assert capsys.readouterr().err == ""


def leave_journal(path):
    path.with_name(f"{path.name}-journal").write_bytes(b"\xd9\xd5\x05\xf9 \xa1c\xd7" + bytes(600))


@pytest.mark.parametrize("damage", [*damages.DAMAGES, "leftover journal"])
def test_any_damage_heals(kept, capsys, damage):
    if damage == "leftover journal":
        leave_journal(kept)
    elif not damages.damaged(kept, damage):
        return
    opened = Store(kept)
    stored = opened.get(list(VALUES))
    message = capsys.readouterr().err
    assert stored.items() <= VALUES.items()
    lost = stored != VALUES
    assert lost <= (str(kept) in message) or damage == "emptied"
    opened.put(VALUES)
    opened.close()
    assert Store(kept).get(list(VALUES)) == VALUES
    assert capsys.readouterr().err == ""


def test_no_flipped_byte_changes_a_value(kept, capsys):
    whole, noticed = kept.read_bytes(), 0
    for place in range(100, len(whole), max(len(whole) // 200, 1)):
        data = bytearray(whole)
        data[place] ^= 0x01
        kept.write_bytes(data)
        opened = Store(kept)
        stored = opened.get(list(VALUES))
        opened.close()
        assert stored.items() <= VALUES.items()
        noticed += stored != VALUES
        kept.unlink(missing_ok=True)
    assert noticed > 20
    assert str(kept) in capsys.readouterr().err


def test_values_of_before_are_known(kept):
    with sqlite3.connect(kept) as database:
        database.execute("INSERT INTO kept VALUES (?, ?)", (b"old", "0.25"))
    assert Store(kept).get([b"old"]) == {b"old": 0.25}


def test_an_empty_file_is_a_new_store(tmp_path, capsys):
    (tmp_path / "new.sqlite").touch()
    Store(tmp_path / "new.sqlite").put({b"x": 1})
    assert Store(tmp_path / "new.sqlite").get([b"x"]) == {b"x": 1}
    assert capsys.readouterr().err == ""


def test_a_value_that_cannot_be_read_is_unknown(kept):
    key = next(iter(VALUES))
    with sqlite3.connect(kept) as database:
        database.execute("UPDATE kept SET value = '{' WHERE key = ?", (key,))
    assert set(Store(kept).get(list(VALUES))) == set(VALUES) - {key}


def test_another_version_is_another_file(kept, monkeypatch):
    before = kept.read_bytes()
    monkeypatch.setattr(store, "VERSION", 2)
    newer = Store(kept)
    assert newer.get(list(VALUES)) == {}
    newer.put({b"x": 1})
    newer.close()
    assert kept.read_bytes() == before
    assert Store(kept).get([b"x"]) == {b"x": 1}


WRITER = """
import sys
from pathlib import Path
from speechdt.store import Store
number = int(sys.argv[2])
kept = Store(Path(sys.argv[1]))
for i in range(20):
    kept.put({f"{number} {i}".encode(): i})
"""


def test_many_writers_wait_for_each_other(tmp_path):
    path = tmp_path / "one.sqlite"
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*command, str(number)]) for number in range(6)]
    assert [writer.wait() for writer in writers] == [0] * 6
    assert len(Store(path).everything()) == 120


# --- parts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_parts_share_everything_and_nothing_twice(count):
    parts = [share(range(12), f"{k}-of-{count}") for k in range(1, count + 1)]
    assert sorted(item for part in parts for item in part) == list(range(12))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert share(range(12), WHOLE) == range(12)


def test_the_whole_takes_over_what_parts_have_scored(tmp_path, kept):
    new = {b"a": 1, b"b": 2}
    for part, (key, value) in zip(("1-of-2", "2-of-2"), new.items(), strict=True):
        own = store_of(kept, "A1", part)
        assert own.get(list(VALUES)) == VALUES  # what the whole knows is not asked again
        own.put({key: value})
        own.close()
    other = store_of(kept, "A2", "1-of-2")
    other.put({b"c": 3})
    whole = store_of(kept, "A1")
    assert whole.get([*VALUES, *new, b"c"]) == VALUES | new
    assert not list(kept.with_suffix(".parts").glob("A1/*.sqlite"))


def test_the_journal_is_one_that_network_file_systems_have(kept):
    opened = Store(kept)
    assert opened._database.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    opened.close()
