"""GPUs that jobs take from each other, or rather do not; simulated by their names alone."""

import os
import subprocess
import sys
import time

import pytest

from speechdt.gpu_driver import Driver, asked_driver
from speechdt.workflow import devices

JOB = """
import os, sys, time
from pathlib import Path
from speechdt.workflow.devices import claimed
with claimed(int(sys.argv[1]), Path(sys.argv[2])) as mine:
    start = time.time()
    time.sleep(0.4)
    print(",".join(mine), os.environ["CUDA_VISIBLE_DEVICES"], start, time.time())
"""


def start(count, folder):
    command = [sys.executable, "-c", JOB, str(count), str(folder)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE)


@pytest.fixture(autouse=True)
def four(monkeypatch):
    monkeypatch.setenv(devices.VISIBLE, "4,5,6,7")
    monkeypatch.setattr(devices, "PAUSE_S", 0.05)


def test_jobs_at_once_have_different_devices(tmp_path):
    running = [start(count, tmp_path) for count in (1, 2, 1, 2, 1)]
    jobs = []
    for job in running:
        taken, shown, since, until = job.communicate()[0].split()
        assert taken == shown
        jobs.append((set(taken.split(",")), float(since), float(until)))
    assert [len(taken) for taken, _, _ in jobs] == [1, 2, 1, 2, 1]
    for place, (taken, since, until) in enumerate(jobs):
        for other, other_since, other_until in jobs[:place]:
            at_once = since < other_until and other_since < until
            assert not (at_once and taken & other)


def test_a_killed_job_frees_its_device(tmp_path):
    holding = start(3, tmp_path)
    time.sleep(0.3)
    holding.kill()
    holding.wait()
    with devices.claimed(4 - 1, tmp_path) as mine:
        assert len(mine) == 3


def test_what_a_scheduler_has_given_is_taken_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv(devices.VISIBLE, "2")
    with devices.claimed(1, tmp_path / "none") as mine:
        assert mine == ["2"]
    assert not (tmp_path / "none").exists()


def test_a_job_without_a_gpu_takes_none(tmp_path):
    with devices.claimed(0, tmp_path / "none") as mine:
        assert mine == []
    assert os.environ[devices.VISIBLE] == "4,5,6,7"


def test_what_was_visible_is_so_again(tmp_path):
    with devices.claimed(2, tmp_path):
        assert os.environ[devices.VISIBLE] == "4,5"
    assert os.environ[devices.VISIBLE] == "4,5,6,7"


ON_A_GPU = """
import sys, time
from pathlib import Path
from speechdt.workflow.devices import claimed
with claimed(1, Path(sys.argv[1])) as mine:
    import torch
    held = torch.empty(2**28, device="cuda")
    start = time.time()
    time.sleep(15)
    named = torch.cuda.get_device_properties(0).uuid
    print(mine[0], torch.cuda.device_count(), named, start, time.time())
"""


def test_two_jobs_at_once_run_on_different_gpus(tmp_path, monkeypatch):
    """On real ones: by the index that was claimed, and by the GPU that torch then used."""
    driver = asked_driver()
    if not isinstance(driver, Driver) or driver.gpus < 2:
        pytest.skip("fewer than two GPUs")
    monkeypatch.delenv(devices.VISIBLE)
    command = [sys.executable, "-c", ON_A_GPU, str(tmp_path)]
    running = [subprocess.Popen(command, text=True, stdout=subprocess.PIPE) for _ in range(2)]
    first, second = (job.communicate()[0].split() for job in running)
    assert {first[0], second[0]} <= {str(place) for place in range(driver.gpus)}
    assert first[0] != second[0]
    assert first[1] == second[1] == "1"
    assert first[2] != second[2]
    assert max(float(first[3]), float(second[3])) < min(float(first[4]), float(second[4]))
