"""Harm by a plugin to its process, its clips and its answers: one line of cause each."""

import logging
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from speechdt.detectors import call, containment
from speechdt.detectors.containment import ScoreError, contained
from speechdt.workflow.jobs import logged

WHO = "variants.X1: backend 'mine'"
CLIPS = [np.full(160, 0.5, np.float32) for _ in range(4)]
PAGE = "\n".join(["first line of the page", *(f"line {i} of it" for i in range(200))])


class Detector:
    gpus = 0

    def __init__(self, act):
        self.act = act

    def score(self, clips):
        answer = self.act(clips)
        return [0.5] * len(clips) if answer is None else answer


def asked(act):
    clips = [clip.copy() for clip in CLIPS]
    return call.ask(Detector(act), clips, ["a", "b", "c", "d"], WHO)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.array([True, False, True, True]), "decisions (bool)"),
        ([True, False, True, True], "decisions (bool)"),
        (["0.5", "0.5", "0.5", "0.5"], "text"),
        (np.array([b"1"] * 4), "text"),
        (np.full(4, 0.5 + 0j), "complex numbers"),
        (np.ma.array([0.5] * 4, mask=[0, 1, 0, 0]), "a masked array"),
        (np.full(4, 0.5, np.float16), "float16"),
        (np.array([0.5, "x", 0.5, 0.5], dtype=object), "text"),
        (np.array([0.5, True, 0.5, 0.5], dtype=object), "decisions (bool)"),
        ([None] * 4, "other than numbers"),
        ([[0.5], [0.5, 0.5], [0.5], [0.5]], "other than numbers"),
    ],
)
def test_answers_that_are_no_scores(answer, message):
    with pytest.raises(ScoreError) as raised:
        asked(lambda _: answer)
    assert str(raised.value).startswith(f"{WHO} answered ")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("answer", [np.full(4, 0.5, np.float32), [0, 1, 0, 1], (0.5,) * 4])
def test_answers_that_are(answer):
    np.testing.assert_array_equal(asked(lambda _: answer), answer)


def write_into(clips):
    clips[0][:] = 0


def write_through(clips):
    np.multiply(clips[0], 2, out=clips[0])


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (write_into, "ValueError: assignment destination is read-only"),
        (write_through, "ValueError: output array is read-only"),
        (lambda clips: clips.clear(), "AttributeError: 'tuple' object has no attribute 'clear'"),
        (lambda clips: exec("raise RuntimeError(PAGE)", globals()), "first line of the page"),
        (lambda clips: sys.exit("enough"), "SystemExit: enough"),
        (lambda clips: exec("raise MemoryError"), "memory runs out"),
        (lambda clips: exec("raise KeyError('x' * 9999)"), "KeyError: 'xxx"),
    ],
)
def test_what_it_raises_is_one_line(act, message):
    with pytest.raises(ScoreError) as raised:
        asked(act)
    assert str(raised.value).startswith(f"{WHO} fails: ")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


def test_a_detector_that_writes_copies(caplog):
    assert asked(lambda clips: [float((clip.copy() * 0).sum()) for clip in clips]).sum() == 0


def test_it_comes_back_to_the_folder_it_was_in(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    containment._printed.clear()
    asked(lambda _: os.chdir(tmp_path / "elsewhere"))
    assert os.getcwd() == str(tmp_path)
    assert capsys.readouterr().err == (
        f"warning: {WHO} changes the working directory, and was put back into {tmp_path}\n"
    )


def test_a_folder_that_is_gone_is_left_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def act(_):
        (tmp_path / "gone").mkdir()
        os.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()

    asked(act)
    assert os.getcwd() == str(tmp_path)


JOB = """
import os, sys, threading, time
import numpy as np
from speechdt.detectors import call
from speechdt.workflow import jobs
class Detector:
    gpus = 0
    def score(self, clips):
        {act}
        return [0.5] * len(clips)
class Job:  # as Snakemake gives it to a script
    resources = {{"mem_mb": 1500}}
    wildcards = params = {{}}
    rule, input, output = "score", [], []
snakemake = Job()
jobs.GRACE_S = 0.5
with jobs.logged("results/logs/score/X1.log"):
    call.ask(Detector(), [np.zeros(160, np.float32)], ["a"], "backend 'mine'")
"""


def job(folder, act):
    """Run a job whose detector does something, and return it with its log."""
    (folder / "results" / "logs" / "score").mkdir(parents=True)
    script = JOB.format(act=textwrap.indent(act, " " * 8).strip())
    (folder / "job.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "job.py"], cwd=folder, capture_output=True, text=True, timeout=60
    )
    return done, (folder / "results/logs/score/X1.log").read_text(errors="replace")


PRINTS = """print("x" * 999, flush=True)
for _ in range(28): os.write(1, b"y" * 10**6)
os.system("echo from a child >&2")"""


def test_a_job_that_has_ended_is_not_searched_for_garbage(tmp_path):
    act = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 10**4))"
    assert job(tmp_path, act)[0].stdout == "True\n"


def test_what_it_prints_goes_to_the_log(tmp_path):
    done, log = job(tmp_path, PRINTS)
    assert done.returncode == 0
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "backend 'mine' prints a lot (more than 1 MiB at a time): see " in done.stderr
    assert len(log) > 28e6
    assert "x" * 999 in log
    assert "from a child" in log


LEAVES = """for _ in range(3): threading.Thread(target=time.sleep, args=(9999,)).start()"""


def test_threads_that_it_leaves_do_not_keep_the_job(tmp_path):
    done, log = job(tmp_path, LEAVES)
    assert done.returncode == 0
    assert done.stderr.startswith("warning: 3 threads are left and never end")
    assert done.stderr.count("\n") == 1
    assert "3 threads are left" in log


def test_nor_one_that_fails(tmp_path):
    done, log = job(tmp_path, f"{LEAVES}\nraise RuntimeError('no\\nwhy\\n' * 99)")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "error: backend 'mine' fails: RuntimeError: no"
    assert log.count("why") >= 99


def test_a_worker_that_is_killed_is_one_line(tmp_path):
    act = """from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(1) as pool:
    pool.submit(os._exit, 9).result()"""
    done, _ = job(tmp_path, act)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "one of its processes was killed, probably out of memory" in done.stderr


def test_a_worker_of_the_job_itself_tells_what_was_asked(tmp_path, monkeypatch):
    from concurrent.futures import ProcessPoolExecutor

    class Job:
        resources = {"mem_mb": 1500, "gpu": 0}  # noqa: RUF012
        wildcards = params = {}  # noqa: RUF012
        rule, input, output = "render_trials", (), ()

    (tmp_path / "results" / "logs" / "x").mkdir(parents=True)
    monkeypatch.setattr(sys.modules["__main__"], "snakemake", Job, raising=False)
    with (
        pytest.raises(SystemExit) as raised,
        logged(tmp_path / "results" / "logs" / "x" / "y.log"),
        ProcessPoolExecutor(1) as pool,
    ):
        pool.submit(os._exit, 9).result()
    logging.getLogger().handlers.clear()
    assert str(raised.value) == (
        "error: a process of the job was killed, probably out of memory: 1500 MiB were asked"
    )


def test_what_plugins_say_themselves_stays(tmp_path):
    with pytest.raises(ScoreError, match=r"^mine: no clip$"), contained("backend 'mine'"):
        raise ScoreError("mine: no clip")
