"""Benchmarks that need no GPU, on as little as they take: they run to their end."""

import subprocess
import sys

import pytest

ALONE = [
    "analysis_speed.py --replicates 50 --permutations 99",
    "coverage.py --simulations 2 --groups 13 --replicates 50 --processes 1",
    "dry_run.py --snrs 2 --durations 2 --variants 3 --rounds 1",
    "family.py --simulations 2 --groups 13 --bias 0 --permutations 99 --replicates 50",
    "index_speed.py --recordings 100",
    "qwen_speed.py --check",
    "seeds.py --made 2 --replicates 50 --seeds 2",
    "trials_speed.py --trials 2000",
    "twins_speed.py --recordings 500",
    "unrelated.py --pairs 20",
    "vad_speed.py --clips 16 --rounds 1 --only energy",
]
OF_A_RUN = [
    "definitions.py",
    "opro_speed.py --model results/models/nano/qwen2_audio --device cpu --prompts 2 --clips 8",
    "seeds.py --only D1 --replicates 50 --seeds 2",
    "served_equality.py",
]


def succeeds(root, folder, command):
    script, *options = command.split()
    done = subprocess.run(
        [sys.executable, root / "benchmarks" / script, *options],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip()


@pytest.mark.campaign
@pytest.mark.parametrize("command", ALONE)
def test_a_benchmark_runs(root, tmp_path, command):
    succeeds(root, tmp_path, command)


@pytest.mark.campaign
@pytest.mark.parametrize("command", OF_A_RUN)
def test_a_benchmark_of_a_run_runs(root, checkout, command):
    succeeds(root, checkout, command)
