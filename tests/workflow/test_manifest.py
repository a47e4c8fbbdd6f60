"""The manifest: what jobs leave there, what it finds again, and says in words."""

import json
import time
from pathlib import Path

import pytest

from speechdt.code_hash import Code
from speechdt.errors import SpeechdtError
from speechdt.workflow import accepted, manifest, own_folder

CODE = Code({"statistics/bootstrap.py": "1", "psychometrics/curve.py": "2"})
NEW = Code({"statistics/bootstrap.py": "1", "psychometrics/curve.py": "3"})
PARAMS = {"seed": 1, "sizes": [1, 2], "path": "a/b", "of": {"x": 1, "y": None}, "code": CODE}


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


def stale(folder, params_of):
    return manifest.stale(manifest.made(folder, params_of))


def why(folder, **change):
    return manifest.reasons(folder, manifest.made(folder, lambda *_: PARAMS | change))


def test_what_was_made_with_the_same_parameters_is_sound(made):
    folder, _, _ = made
    asked = []

    def params_of(rule, wildcards):
        asked.append((rule, wildcards))
        return PARAMS | {"sizes": (1, 2), "path": Path("a/b")}

    assert stale(folder, params_of) == {}
    assert asked == [("score", {"run": "D1"})]


@pytest.mark.parametrize("change", [{"seed": 2}, {"sizes": [2, 1]}, {"of": {"x": 1}}, {"new": 0}])
def test_other_parameters_are_noticed(made, change):
    folder, output, _ = made
    reasons = stale(folder, lambda rule, wildcards: PARAMS | change)
    assert reasons == {output: "made with other parameters"}


def test_a_killed_job_s_files_are_noticed(made):
    folder, output, entry = made
    entry.begin()
    assert stale(folder, lambda *_: PARAMS) == {output: "its job was killed"}


def test_what_nobody_asks_for_any_more_or_is_gone_is_left_alone(made):
    folder, output, _ = made
    assert stale(folder, lambda *_: None) == {}
    Path(output).unlink()
    assert stale(folder, lambda *_: {}) == {}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"outputs": 3}', "null"])
def test_a_damaged_entry_stops_nothing(made, content):
    folder, _, _ = made
    (folder / "score" / "D1.json").write_text(content)
    assert stale(folder, lambda *_: {}) == {}


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


def test_what_has_changed_is_said_in_words(made, tmp_path):
    folder, output, _ = made
    log = tmp_path / "logs" / "score" / "D2.log"
    manifest.Entry(log, "score", {"run": "D2"}, PARAMS, [output]).end()
    assert why(folder) == []
    assert why(folder, code=NEW) == ["score: 2 jobs, code changed in psychometrics/curve.py"]
    assert why(folder, of={"x": 2, "y": None}) == ["score: 2 jobs, of.x changed"]
    both = why(folder, code=NEW, seed=2)
    assert both == ["score: 2 jobs, code changed in psychometrics/curve.py; seed changed"]


def test_many_reasons_are_cut(made):
    assert manifest.few(["a"]) == ["a"]
    assert manifest.few(["a"] * 25)[-1] == "and 5 more such lines"


def accept(folder, **change):
    return accepted.accept(folder, list(manifest.made(folder, lambda *_: PARAMS | change)))


def test_accepted_code_counts_as_what_made_the_files(made, tmp_path, monkeypatch):
    folder, output, entry = made
    monkeypatch.chdir(tmp_path)
    record = own_folder._record(own_folder.MADE, output)
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"rule": "score", "params": ["1", repr(str(CODE))]}))
    line = "score: 1 job, code changed in psychometrics/curve.py"
    assert accept(folder, code=NEW) == [
        "accepted: 1 job marked as made by the present code",
        f"accepted: {line}",
    ]
    assert why(folder, code=NEW) == []
    assert sorted(json.loads(record.read_text())["params"]) == sorted(["1", repr(str(NEW))])
    assert json.loads((folder.parent / accepted.FILE).read_text()) == [line]
    with pytest.raises(SpeechdtError, match=r"no release .* --forcerun score"):
        accepted.refuse_accepted(folder)
    entry.end()  # it has run again
    assert accepted.accepted(folder) == []
    accepted.refuse_accepted(folder)
    accepted.note(folder, [])
    assert not (folder.parent / accepted.FILE).exists()


def test_other_settings_are_not_accepted(made):
    folder, _, _ = made
    lines = accept(folder, code=NEW, seed=2)
    assert lines[0] == "accepted: 0 jobs marked as made by the present code"
    assert lines[1].startswith("not accepted: score: 1 job, code changed in psychometrics/curve.py")
    assert lines[1].endswith("seed changed")
    assert why(folder, code=NEW, seed=2)


def test_code_inside_of_another_parameter_is_known(tmp_path):
    log, output = tmp_path / "logs" / "train_nano" / "q.log", tmp_path / "model"
    output.mkdir()
    recipe = {"seed": 1, "code": CODE}
    manifest.Entry(log, "train_nano", {}, {"recipe": recipe}, [str(output)]).end()
    folder = manifest.manifest_of(log)
    jobs = list(manifest.made(folder, lambda *_: {"recipe": recipe | {"code": NEW}}))
    assert manifest.reasons(folder, jobs) == [
        "train_nano: 1 job, code changed in psychometrics/curve.py"
    ]
