"""One job that meets damage has all of it set aside, so that one further run makes it anew."""

import logging
import os
import shutil
import sys

import pytest
from support.damages import DAMAGES, damaged
from support.trial_cells import write_cells

from speechdt import checksums
from speechdt.errors import SpeechdtError
from speechdt.trials.cells import read_cell
from speechdt.workflow import manifest
from speechdt.workflow.damaged_outputs import set_aside_damaged
from speechdt.workflow.jobs import logged


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder of what several jobs have made, and the names of that."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results"
    cell = folder / "trials" / "dev" / "snr0_dur200.parquet"
    cell.parent.mkdir(parents=True)
    shutil.copy(write_cells(tmp_path / "cells", 12)[0], cell)
    adapter = folder / "adapters" / "small"
    adapter.mkdir(parents=True)
    (adapter / "adapter_model.safetensors").write_bytes(bytes(range(256)))
    checksums.write(adapter)
    for name in ("scores/D1.parquet", "calibration/D1.json", "tables/matrix.csv"):
        (folder / name).parent.mkdir()
        (folder / name).write_text(
            f"a file of {name}, with so many letters that it can be cut\n" * 9
        )
    made = ["trials/dev/snr0_dur200.parquet", "adapters/small"]
    made += ["scores/D1.parquet", "calibration/D1.json", "tables/matrix.csv"]
    for number, name in enumerate(made):
        log = folder / "logs" / "made" / f"{number}.log"
        manifest.Entry(log, "made", {}, {}, [f"results/{name}"]).end()
    return folder, [f"results/{name}" for name in made]


def set_aside(folder, inputs, *, sure=False):
    return set_aside_damaged(folder / "manifest", inputs, sure=sure)


def hurt(path, damage):
    """Damage a file, or the one in a folder; return whether anybody can tell."""
    file = path / "adapter_model.safetensors" if path.is_dir() else path
    return damaged(file, damage)


def test_whole_files_stay(results):
    folder, made = results
    assert set_aside(folder, made, sure=True) == []
    assert all(map(os.path.exists, made))


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_to_all_files_at_once_is_named_and_set_aside(results, damage):
    folder, made = results
    noticed = [hurt(folder.parent / name, damage) for name in made]
    if not all(noticed):
        return
    lines = set_aside(folder, made[:1])
    assert [line.partition(" is damaged (")[0] for line in lines] == made
    assert all(line.count("\n") == 0 for line in lines)
    for name in made:
        assert not os.path.lexists(name)
        assert os.path.lexists(f"{name}.damaged")
    assert not checksums.list_of(folder / "adapters" / "small").exists()


def test_a_job_that_fails_over_something_else_sets_nothing_aside(results):
    folder, made = results
    (folder.parent / made[2]).write_text("changed")
    assert set_aside(folder, [made[0], made[1]]) == []
    assert os.path.exists(made[2])


def test_what_another_job_has_set_aside_explains_a_missing_file(results):
    folder, made = results
    (folder.parent / made[0]).write_text("changed")
    assert len(set_aside(folder, made[:1])) == 1
    assert set_aside(folder, made[:1]) == [
        f"{made[0]} is damaged (found by another job): set aside as snr0_dur200.parquet.damaged"
    ]


@pytest.mark.parametrize("complete", [True, False])
def test_files_of_jobs_at_work_and_of_older_manifests_are_left_alone(results, complete):
    folder, made = results
    (folder.parent / made[2]).write_text("half")
    file = folder / "manifest" / "made" / "2.json"
    (_, entry), *_ = [pair for pair in manifest.entries(file.parents[1]) if pair[0] == file]
    manifest.write(
        file, {**entry, "complete": complete, "sha256": {} if complete else entry["sha256"]}
    )
    assert set_aside(folder, made, sure=True) == []


def open_it(cell):
    read_cell(cell)


def misread_it(cell):
    raise ValueError("no number: '1;0'\nand more")


def build_on_it(cell):
    try:
        read_cell(cell)
    except checksums.Damaged as error:
        raise SpeechdtError(str(error)) from error


@pytest.mark.parametrize("work", [open_it, misread_it, build_on_it])
def test_a_job_says_it_in_one_line_a_file(results, work, monkeypatch, capsys):
    folder, made = results
    for name in made:
        hurt(folder.parent / name, "a byte of its body")

    class Job:
        resources = {"mem_mb": 1500, "gpu": 0}  # noqa: RUF012
        wildcards = params = {}  # noqa: RUF012
        rule, input, output = "score", made, ()

    monkeypatch.setattr(sys.modules["__main__"], "snakemake", Job, raising=False)
    log = folder / "logs" / "score" / "D1.log"
    log.parent.mkdir(parents=True)
    with pytest.raises(SystemExit) as raised, logged(log):
        work(made[0])
    logging.getLogger().handlers.clear()
    message = str(raised.value)
    assert message.startswith(f"error: {made[0]} is damaged (")
    assert "another job" not in message
    assert message.endswith("run again, and it is made anew")
    others = capsys.readouterr().err.splitlines()
    assert [line.partition(" is damaged (")[0] for line in others] == made[1:]
    assert not any(map(os.path.lexists, made))
