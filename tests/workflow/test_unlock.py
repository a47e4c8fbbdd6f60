"""Locks that are freed, and those that are left alone."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from speechdt.workflow import holder, own_folder, unlock


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """A locked folder, the working directory, with a note of a process that is gone."""
    monkeypatch.setenv("PATH", "")  # no queue, unless a test makes one
    monkeypatch.chdir(tmp_path)
    (tmp_path / own_folder.LOCKS).mkdir(parents=True)
    (tmp_path / own_folder.LOCKS / "0.input.lock").write_text("x")
    unlock.hold(queue=True)
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    change(tmp_path, pid=process.pid)
    return tmp_path


def change(folder, **fields):
    note = replace(holder.read_note(folder / own_folder.OWN), **fields)
    (folder / own_folder.OWN / holder.NOTE).write_text(json.dumps(asdict(note)))


def queue(folder, script):
    """Put a squeue of our own on the path."""
    (folder / "bin").mkdir()
    command = folder / "bin" / "squeue"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    os.environ["PATH"] = f"{folder / 'bin'}"


def refused():
    with pytest.raises(SystemExit) as stopped:
        unlock.main()
    line = str(stopped.value)
    assert line.startswith("error: ")
    assert "\n" not in line
    assert own_folder.is_locked(unlock.Path.cwd())
    return line


def test_a_killed_run_s_lock_goes(locked, capsys):
    unlock.main()
    assert not own_folder.is_locked(locked)
    assert "unlocking" in capsys.readouterr().err


def test_a_live_run_s_lock_stays(locked):
    unlock.hold()
    assert f"process {os.getpid()}" in refused()


def test_a_process_number_that_was_given_again_is_another_run(locked):
    change(locked, pid=os.getpid(), started=0.0)
    unlock.main()
    assert not own_folder.is_locked(locked)


@pytest.mark.parametrize("fields", [{"host": "node17"}, {"system": "another boot pid:[1]"}])
def test_a_lock_from_elsewhere_stays_and_says_whose_and_since_when(locked, fields):
    change(locked, since="2026-01-02 03:04 UTC", **fields)
    line = refused()
    assert "snakemake --unlock" in line
    assert "2026-01-02 03:04 UTC" in line
    assert holder.read_note(locked / own_folder.OWN).host in line


@pytest.mark.parametrize("content", ["", "{}", '{"host": "x"}', "[]"])
def test_a_lock_without_a_name_stays(locked, content):
    (locked / own_folder.OWN / holder.NOTE).write_text(content)
    assert "left no name" in refused()


def test_a_lock_stays_while_jobs_are_in_the_queue(locked):
    queue(locked, f"echo '41 /somewhere/else'; echo '42 {locked}'")
    line = refused()
    assert "(42)" in line
    assert "scancel" in line


def test_jobs_of_another_folder_do_not_matter(locked):
    queue(locked, "echo '41 /somewhere/else'")
    unlock.main()
    assert not own_folder.is_locked(locked)


def test_a_queue_that_does_not_answer_may_hold_jobs(locked):
    queue(locked, "exit 1")
    assert "squeue does not answer" in refused()


def test_a_queue_that_does_not_answer_is_no_matter_of_a_run_of_this_machine(locked):
    queue(locked, "exit 1")
    assert "squeue does not answer" in refused()
    change(locked, queue=False)
    unlock.main()
    assert not own_folder.is_locked(locked)
