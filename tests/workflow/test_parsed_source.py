"""Parsed sources: what is kept of them is what parsing finds, and never another file's."""

import json
import os
import sys
from pathlib import Path

import pytest

from speechdt import parsed_source
from speechdt.parsed_source import parsed

PACKAGE = Path(parsed_source.__file__).parent


@pytest.fixture
def writes(monkeypatch):
    """Whatever the environment says of compiled files."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


@pytest.fixture
def parses(monkeypatch):
    """Sources that are parsed."""
    sources = []
    parse = parsed_source._parse

    def counted(source):
        sources.append(source)
        return parse(source)

    monkeypatch.setattr(parsed_source, "_parse", counted)
    return sources


def anew(file):
    """Ask as another process would."""
    parsed_source._parsed_at.cache_clear()
    return parsed(file)


def kept_of(file):
    (kept,) = (file.parent / "__pycache__").glob(f"{file.stem}.*{parsed_source.SUFFIX}")
    return kept


def test_what_is_kept_is_what_parsing_finds(tmp_path, writes, parses):
    for number, module in enumerate(sorted(PACKAGE.rglob("*.py"))):
        file = tmp_path / f"m{number}.py"
        file.write_bytes(module.read_bytes())
        first = anew(file)
        assert first == parsed_source._parse(file.read_bytes())
        asked = len(parses)
        assert anew(file) == first
        assert len(parses) == asked
    assert len(parses) > 100


def test_an_edit_is_seen_even_where_time_and_size_are_the_same(tmp_path, writes):
    file = tmp_path / "mine.py"
    file.write_text("import a\n")
    state = file.stat()
    before = anew(file)
    file.write_text("import b\n")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    after = anew(file)
    assert (before.names, after.names) == ({"a"}, {"b"})
    assert before.digest != after.digest


@pytest.mark.parametrize("damage", ["{", "[]", "null", '{"key": "other"}', None])
def test_what_is_damaged_or_of_another_version_is_parsed_anew(tmp_path, writes, parses, damage):
    file = tmp_path / "mine.py"
    file.write_text("import a\nx = 'weights.npz'\n")
    first = anew(file)
    kept = kept_of(file)
    whole = json.loads(kept.read_text())
    kept.write_text(json.dumps({"key": whole["key"]}) if damage is None else damage)
    assert anew(file) == first
    assert json.loads(kept.read_text()) == whole
    assert len(parses) == 2


def test_nothing_is_kept_where_python_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "mine.py"
    file.write_text("import a\n")
    assert anew(file).names == {"a"}
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_a_folder_that_may_not_be_written_is_no_error(tmp_path, writes):
    file = tmp_path / "mine.py"
    file.write_text("import a\n")
    (tmp_path / "__pycache__").write_text("no folder")
    assert anew(file).names == {"a"}
