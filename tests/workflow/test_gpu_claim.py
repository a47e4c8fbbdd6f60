"""Jobs on several GPUs take different ones, and whole ones; locks end with their process."""

import os
import subprocess
import sys

import pytest

from speechdt.errors import SpeechdtError
from speechdt.gpu_driver import Driver
from speechdt.workflow import gpu_claim

TWO = Driver((13, 0), 2, memory=(1, 1), uuids=("u0", "u1"))


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """Make this a machine of two GPUs."""
    monkeypatch.setattr(gpu_claim, "asked_driver", lambda: TWO)
    monkeypatch.setattr(gpu_claim, "LOCKS", tmp_path / "locks")
    monkeypatch.setattr(gpu_claim, "PAUSE_S", 0.05)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpu_claim, "_held", [])


def again(monkeypatch, visible=None):
    """Undo what a job's own environment shows it, as another job begins with."""
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)


def test_two_jobs_take_different_gpus(monkeypatch):
    assert gpu_claim.claim(1) == ["0"]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    again(monkeypatch)
    assert gpu_claim.claim(1) == ["1"]
    again(monkeypatch)
    waited = []
    monkeypatch.setattr(gpu_claim.time, "sleep", lambda _: (waited.append(1), release()))

    def release():
        gpu_claim._held.pop(0).close()  # the first job ends

    assert gpu_claim.claim(1) == ["0"]
    assert waited == [1]


def test_both_or_none(monkeypatch):
    assert gpu_claim.claim(1) == ["0"]
    again(monkeypatch)
    monkeypatch.setattr(gpu_claim.time, "sleep", lambda _: gpu_claim._held.pop(0).close())
    assert gpu_claim.claim(2) == ["0", "1"]


def test_what_a_scheduler_shows(monkeypatch):
    monkeypatch.setattr(gpu_claim, "asked_driver", lambda: Driver((13, 0), 1, uuids=("u7",)))
    again(monkeypatch, "7")
    assert gpu_claim.claim(1) == ["7"]
    assert (gpu_claim.LOCKS / "u7").exists()
    with pytest.raises(SpeechdtError, match="claims 2 GPUs, and 1 are visible"):
        gpu_claim.claim(2)
    again(monkeypatch, "MIG-a")
    assert gpu_claim.claim(1) == ["MIG-a"]  # its lock is its own


def test_no_gpus(monkeypatch):
    assert gpu_claim.claim(0) == []
    for driver in (None, "does not answer", Driver((13, 0), 0)):
        monkeypatch.setattr(gpu_claim, "asked_driver", lambda driver=driver: driver)
        assert gpu_claim.claim(1) == []
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_a_killed_job_leaves_its_gpus(monkeypatch, tmp_path):
    code = (
        "import sys, pathlib, time\n"
        "from speechdt.workflow import gpu_claim\n"
        "from speechdt.gpu_driver import Driver\n"
        "gpu_claim.asked_driver = lambda: Driver((13, 0), 2, uuids=('u0', 'u1'))\n"
        f"gpu_claim.LOCKS = pathlib.Path({str(tmp_path / 'locks')!r})\n"
        "print(gpu_claim.claim(2), flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout.readline().strip() == "['0', '1']"
        assert gpu_claim._take(gpu_claim.visible_gpus(), 1) == []
        job.kill()
    assert gpu_claim.claim(2) == ["0", "1"]
