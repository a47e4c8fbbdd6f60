"""The last line of a run names what failed, or what was at work."""

import json
import os
import subprocess
import sys

import pytest

from speechdt.workflow import last_line, manifest


def entry(tmp_path, name):
    log = tmp_path / "logs" / "score" / f"{name}.log"
    return manifest.Entry(log, "score", {"run": name}, {}, [])


def test_the_cause_of_a_failure_is_said(tmp_path):
    entry(tmp_path, "D1").fail(manifest.STOPPED)
    entry(tmp_path, "D2").fail("backend 'silero' fails")
    entry(tmp_path, "D3").end()
    line = last_line.cause(tmp_path / manifest.FOLDER, 0)
    assert line == "error: score D2: backend 'silero' fails"


def test_what_was_at_work_is_named(tmp_path):
    for name in ("A", "B", "C", "D"):
        entry(tmp_path, name).fail(manifest.STOPPED)
    line = last_line.cause(tmp_path / manifest.FOLDER, 0)
    assert (
        line == "stopped while at work on score A, score B, score C and 1 more; run again to go on"
    )


def test_a_job_that_was_killed_is_named_though_it_said_nothing(tmp_path):
    entry(tmp_path, "D1").begin()
    line = last_line.cause(tmp_path / manifest.FOLDER, 0)
    assert line == "error: the job score (D1) was killed, probably out of memory"


@pytest.mark.parametrize(
    ("watching", "printed"),
    [(str(os.getpid()), "True"), ("1234567890", "False"), ("", "False")],
    ids=["one that started it", "another one", "none"],
)
def test_a_cause_is_left_to_the_process_that_started_the_job(root, watching, printed):
    code = "from speechdt.workflow.last_line import said_at_the_end; print(said_at_the_end())"
    shell = f"'{sys.executable}' -c '{code}'; true"  # as Snakemake starts a script
    env = os.environ | {last_line.WATCHES: watching, "PYTHONPATH": str(root)}
    done = subprocess.run(["bash", "-c", shell], env=env, capture_output=True, text=True)
    assert done.stdout.split() == [printed], done.stderr


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"complete": False})])
def test_what_is_damaged_or_older_than_the_run_is_passed_over(tmp_path, content):
    entry(tmp_path, "D1").begin()
    file = tmp_path / manifest.FOLDER / "score" / "D1.json"
    os.utime(file, (100, 100))
    assert last_line.cause(tmp_path / manifest.FOLDER, 200) == ""
    file.write_text(content)
    assert last_line.cause(tmp_path / manifest.FOLDER, 200) == ""
