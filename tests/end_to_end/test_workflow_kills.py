"""Runs that are killed, and the lock that they leave."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
import yaml
from safetensors.torch import load_file
from support.checkouts import ASKED, UNCHECKED, command, digests, run, scored

SLOW = """
import time
from speechdt import hookimpl
class Slow:
    gpus = 0
    def score(self, clips):
        time.sleep(0.3)
        return [abs(float(clip[:99].mean())) for clip in clips]
@hookimpl
def detectors(): return {"slow": Slow}
"""
SAME = ("results/trials/**/*.parquet", "results/scores/**/*.parquet", "results/calibration/*.json")
TABLES = tuple(f"results/tables/{t}.csv" for t in ("matrix", "metrics", "thresholds", "curves"))
SCORED = ("results/calibration/S.json",)


@pytest.mark.campaign  # of a job alone: tests/end_to_end/test_damage.py
@pytest.mark.parametrize("targets", [SCORED, TABLES])
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(begun, tmp_path, targets):
    undisturbed, killed = (begun(tmp_path / name) for name in ("undisturbed", "killed"))
    for folder in (undisturbed, killed):
        (folder / "backends" / "slow.py").write_text(SLOW)
        config = yaml.safe_load((folder / "configs" / "ci.yaml").read_text())
        slow = {"backend": "slow", "level": "stored"}
        config["variants"] = ASKED | {"D1": None, "D2": None, "S": slow}
        config["hygiene"] = UNCHECKED
        (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    run(undisturbed, *targets, config="mine.yaml")

    kill_once(
        lambda: list(killed.glob("results/scores/S/dev/*.parquet")),
        killed, *targets, config="mine.yaml",
    )  # fmt: skip
    run(killed, *targets, config="mine.yaml")
    everything = scored(undisturbed, "S")
    assert 0 < scored(killed, "S") < everything
    ends = digests(killed, *SAME, *TABLES)
    assert ends.keys() >= set(targets)
    assert ends == digests(undisturbed, *SAME, *TABLES)


@pytest.mark.campaign  # at three moments, without the workflow: tests/backends/test_finetune.py
def test_a_killed_training_goes_on_to_the_same_adapter(finished, tmp_path):
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    for folder in (undisturbed, killed):
        shutil.copytree(finished, folder, symlinks=True)
        shutil.rmtree(folder / "results" / "adapters")
        config = yaml.safe_load((folder / "configs" / "ci.yaml").read_text())
        config["adapters"]["small"] |= {"epochs": 8, "eval_steps": 4, "batch_size": 2}
        (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    run(undisturbed, "results/adapters/small", config="mine.yaml")
    checkpoints = killed / "results" / "cache" / "finetune" / "small"
    kill_once(
        lambda: list(checkpoints.glob("*/checkpoint-*/complete")),
        killed, "results/adapters/small", config="mine.yaml",
    )  # fmt: skip
    assert not (killed / "results" / "adapters" / "small").exists()
    run(killed, "results/adapters/small", config="mine.yaml")
    assert not list(checkpoints.iterdir())
    ours, expected = (
        load_file(folder / "results" / "adapters" / "small" / "adapter_model.safetensors")
        for folder in (killed, undisturbed)
    )
    assert ours.keys() == expected.keys()
    for name, weight in expected.items():
        torch.testing.assert_close(ours[name], weight, atol=1e-6, rtol=0)


def test_a_live_run_is_not_unlocked(begun, tmp_path):
    begun(tmp_path)
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    (locks / "0.input.lock").write_text("x")
    holder = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)  # snakemake"], cwd=tmp_path
    )
    try:
        time.sleep(0.5)
        done = subprocess.run(
            [sys.executable, "-m", "speechdt.workflow.unlock"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
    finally:
        holder.kill()
        holder.wait()
    assert done.returncode == 1
    assert f"process {holder.pid}" in done.stderr


def kill_once(condition, folder, *arguments, config):
    """Start a run, kill its whole process group once a condition holds, and free the folder."""
    started = subprocess.Popen(
        command(*arguments, config=config),
        cwd=folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(condition)
    time.sleep(0.5)
    assert started.poll() is None
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    subprocess.run([sys.executable, "-m", "speechdt.workflow.unlock"], cwd=folder, check=True)


def wait_for(condition, seconds=120):
    end = time.time() + seconds
    while not condition():
        assert time.time() < end, "waited in vain"
        time.sleep(0.1)
