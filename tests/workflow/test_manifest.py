"""What jobs leave in the manifest, and what it finds again."""

import time
from pathlib import Path

import pytest

from speechdt.workflow import manifest, own_folder

PARAMS = {"seed": 1, "sizes": [1, 2], "path": "a/b", "of": {"x": 1, "y": None}}


@pytest.fixture
def made(tmp_path):
    """A finished job with one output, and its entry."""
    output = tmp_path / "scores" / "D1.parquet"
    output.parent.mkdir()
    output.write_text("x")
    log = tmp_path / "logs" / "score" / "D1.log"
    entry = manifest.Entry(log, "score", {"run": "D1"}, PARAMS, [str(output)])
    entry.begin()
    entry.end()
    return tmp_path / manifest.FOLDER, str(output), entry


def test_what_was_made_with_the_same_parameters_is_sound(made):
    folder, _, _ = made
    asked = []

    def params_of(rule, wildcards):
        asked.append((rule, wildcards))
        return PARAMS | {"sizes": (1, 2), "path": Path("a/b")}

    assert manifest.stale(folder, params_of) == {}
    assert asked == [("score", {"run": "D1"})]


@pytest.mark.parametrize("change", [{"seed": 2}, {"sizes": [2, 1]}, {"of": {"x": 1}}, {"new": 0}])
def test_other_parameters_are_noticed(made, change):
    folder, output, _ = made
    found = manifest.stale(folder, lambda rule, wildcards: PARAMS | change)
    assert found == {output: "made with other parameters"}


def test_a_killed_job_s_files_are_noticed(made):
    folder, output, entry = made
    entry.begin()
    assert manifest.stale(folder, lambda *_: PARAMS) == {output: "its job was killed"}


def test_what_nobody_asks_for_any_more_or_is_gone_is_left_alone(made):
    folder, output, _ = made
    assert manifest.stale(folder, lambda *_: None) == {}
    Path(output).unlink()
    assert manifest.stale(folder, lambda *_: {}) == {}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"outputs": 3}', "null"])
def test_a_damaged_entry_stops_nothing(made, content):
    folder, _, _ = made
    (folder / "score" / "D1.json").write_text(content)
    assert manifest.stale(folder, lambda *_: {}) == {}


def test_entries_are_the_same_bytes_each_time(made):
    folder, _, entry = made
    before = (folder / "score" / "D1.json").read_bytes()
    entry.begin()
    entry.end()
    assert (folder / "score" / "D1.json").read_bytes() == before


@pytest.mark.parametrize("length", [10, 300])
def test_records_are_named_as_snakemake_names_them(tmp_path, monkeypatch, length):
    from snakemake.persistence.file import FilePersistence

    monkeypatch.chdir(tmp_path)
    output = "results/" + "x" * length
    theirs = FilePersistence._record_path
    assert not own_folder.has_record(output)
    for folder in (own_folder.MADE, own_folder.INCOMPLETE):
        folder.mkdir(parents=True)
        named = object.__new__(FilePersistence)
        named._max_len = None
        assert Path(theirs(named, str(folder), output)) == own_folder._record(folder, output)


def test_jobs_that_end_without_a_word_are_named(tmp_path):
    def begun(rule, name, mem_mb=None):
        log = tmp_path / "results" / "logs" / rule / f"{name}.log"
        entry = manifest.Entry(log, rule, {}, {}, [], mem_mb)
        entry.begin()
        return entry

    folder = tmp_path / "results" / "manifest"
    began = time.time() - 1
    begun("score", "D1").end()
    begun("score", "D2").fail("backend 'mine' fails: ValueError: no")
    begun("score", "S", 2000)
    begun("calibrate", "S")
    (folder / "score" / "odd.json").write_text("{")
    assert manifest.without_a_word(folder, began) == [
        "the job calibrate (S) was killed, probably out of memory",
        "the job score (S) was killed, probably out of memory: 2000 MiB were asked",
    ]
    assert manifest.without_a_word(folder, time.time() + 1) == []
