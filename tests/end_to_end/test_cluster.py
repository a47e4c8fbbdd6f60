"""Runs on a cluster: a real Slurm of one machine, with simulated nodes and GPUs."""

import importlib.util
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest
import yaml
from support.checkouts import ASKED, copy_checkout, digests

SLOW = """
import time
from speechdt import hookimpl
class Slow:
    gpus = 1
    def __init__(self, bias=0.0): self.bias = bias
    def score(self, clips):
        time.sleep(0.3)
        return [abs(float(clip[:99].mean())) * (1 - self.bias) for clip in clips]
@hookimpl
def detectors(): return {"slow": Slow}
"""
SMALL = {
    "grid": {"snr_db": [10], "duration_ms": [200, 1000], "curve_snr_db": []},
    "trials": {"items": {"dev": 6, "test": 6}},
    "bootstrap": {"replicates": 100},
    "variants": ASKED
    | dict.fromkeys(("D1", "D2", "D3", "D4"))
    | {"S1": {"backend": "slow"}, "S2": {"backend": "slow", "bias": 0.1}},
}
SCORED = "results/scores/**/*.parquet"
SCORES = [f"results/scores/{run}/test/snr10_dur200.parquet" for run in ("S1", "S2")]
CALIBRATED = [f"results/calibration/{run}.json" for run in ("S1", "S2")]
QUICK = ["--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2"]
ON_SLURM = ["--workflow-profile", "profiles/slurm", "--max-threads", "2", *QUICK]
MADE = ("results/trials/**/*.parquet", SCORED, "results/calibration/*", "results/tables/*.csv")
UNTIMED = {"results/tables/latency.csv", "results/tables/pareto.csv", "results/tables/verdict.csv"}


def command(*arguments):
    return [sys.executable, "-m", "snakemake", *arguments, "--configfile", "mine.yaml"]


def environment(folder, **more):
    # The plugin may lie in a folder of its own.
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": path} | more


def run(folder, *arguments, **more):
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(folder, **more),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        pytest.fail(done.stdout)
    return done.stdout


def new_checkout(root, folder, config):
    folder.mkdir(parents=True, exist_ok=True)
    return with_config(copy_checkout(root, folder), config)


def with_config(folder, config):
    (folder / "backends" / "slow.py").write_text(SLOW)
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    return folder


def devices(folder):
    """Return the GPU that each scoring job had, with its node, and when it had it."""
    gpus = {}
    for log in sorted((folder / "results" / "logs" / "score").glob("S*.log")):
        text = log.read_text()
        times = re.findall(r"(?m)^(\d{4}-\d\d-\d\d [\d:,]+) ", text)
        gpus[log.stem] = (re.search(r"GPU (\S+ of .+)", text)[1], times[0], times[-1])
    return gpus


def assert_apart(folder):
    (one, one_start, one_end), (other, other_start, other_end) = devices(folder).values()
    assert one_start < other_end
    assert other_start < one_end, "the jobs ran one after the other"
    assert one != other


@pytest.fixture(scope="module")
def local(begun, tmp_path_factory):
    """A checkout in which two detectors were scored at once, on two simulated GPUs."""
    folder = with_config(begun(tmp_path_factory.mktemp("local")), SMALL)
    arguments = ("--cores", "2", "--quiet", "host", "--resources", "gpu=2")
    run(folder, *CALIBRATED, *arguments, CUDA_VISIBLE_DEVICES="4,5")
    return folder


@pytest.fixture(scope="module")
def slurm(root, tmp_path_factory):
    """A Slurm of two nodes with two GPUs each."""
    missing = [name for name in ("slurmctld", "slurmd", "munged") if not shutil.which(name)]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    if os.getuid():
        pytest.skip("Slurm's daemons need root")
    if not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        pytest.skip("snakemake-executor-plugin-slurm is not installed")
    folder = tmp_path_factory.mktemp("slurm")
    script = ["bash", str(root / "tests" / "support" / "slurm.sh")]
    started = subprocess.run([*script, "up", folder, "2", "2"], capture_output=True, text=True)
    if started.returncode == 3:
        pytest.skip(started.stderr.strip())
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield
    finally:
        subprocess.run([*script, "down", folder], check=True)


def without(folder, new, *removed):
    shutil.copytree(folder, new, symlinks=True)
    for path in removed:
        shutil.rmtree(new / path)
    return new


def test_two_gpu_jobs_of_one_machine_have_different_gpus(local):
    assert_apart(local)
    assert {device for device, *_ in devices(local).values()} == {
        "4 of this machine",
        "5 of this machine",
    }


@pytest.mark.campaign  # without the workflow: tests/prompts/test_run_answers.py
def test_parts_make_the_same_bytes(local, tmp_path):
    removed = ("results/scores", "results/cache/scores", "results/levels")
    folder = without(local, tmp_path / "parts", *removed)
    printed = run(folder, *SCORES, "--cores", "2", "--set-scatter", "score=2")
    assert printed.count(", 2-of-2") == 2
    assert digests(folder, SCORED) == digests(local, SCORED)
    logs = [folder / "results" / "logs" / "score" / f"{run}.log" for run in ("S1", "S2")]
    assert all("scored 0 clips" in log.read_text() for log in logs)


def test_few_submissions_and_no_more_threads_than_the_configuration_says(root, tmp_path):
    pytest.importorskip(
        "snakemake_executor_plugin_slurm", reason="snakemake-executor-plugin-slurm is not installed"
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "-n", "--quiet", "host"),
            *("-s", root / "Snakefile", "--directory", tmp_path),
            *("--workflow-profile", root / "profiles" / "slurm"),
        ],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout + done.stderr
    assert submissions(root, printed) <= 50


def submissions(root, printed):
    """Count what a dry run would submit: groups, and jobs that are in none and not local."""
    local, grouped = (
        set(),
        set(yaml.safe_load((root / "profiles" / "slurm" / "config.yaml").read_text())["groups"]),
    )
    for file in (root / "rules").glob("*.smk"):
        for listed in re.findall(r"(?m)^localrules:\n((?:    \w+,\n)+)", file.read_text()):
            local |= set(re.findall(r"\w+", listed))
    counts = dict(re.findall(r"(?m)^(\w+) +(\d+)$", printed))
    alone = {rule: int(n) for rule, n in counts.items() if rule not in local | grouped}
    assert {"score", "finetune", "index_corpus"} <= set(alone)
    return sum(alone.values()) - alone["total"] - alone["all"] + printed.count("Group job ")


def test_two_jobs_on_slurm(slurm, local, tmp_path):
    removed = ("results/scores", "results/cache/scores", "results/levels", "results/logs/score")
    folder = without(local, tmp_path / "slurm", *removed)
    run(folder, *ON_SLURM, *SCORES)
    assert_apart(folder)
    assert digests(folder, SCORED) == digests(local, SCORED)


QSUB = """#!/bin/sh
# Takes what qsub takes, runs the job, and leaves what it was asked.
echo "$@" >> "$ASKED"
for script; do :; done
"$script" > /dev/null 2>&1 &
echo "$!.stand-in"
"""
SBATCH = (
    "sbatch --parsable --cpus-per-task={threads} --mem={resources.mem_mb} --gpus={resources.gpu} "
    "--time={resources.runtime} --output=/dev/null"
)


def documented(root):
    """Return the arguments of the line of docs/cluster.md for other schedulers."""
    pytest.importorskip(
        "snakemake_executor_plugin_cluster_generic",
        reason="snakemake-executor-plugin-cluster-generic is not installed",
    )
    text = (root / "docs" / "cluster.md").read_text().replace("\\\n", " ")
    (line,) = re.findall(r"(?m)^\$ snakemake (--executor cluster-generic .*)$", text)
    return [*shlex.split(line), "--seconds-between-status-checks", "1", "--max-threads", "2"]


def test_two_jobs_by_the_line_for_other_schedulers(root, local, tmp_path):
    removed = ("results/scores", "results/cache/scores", "results/levels", "results/logs/score")
    folder = without(local, tmp_path / "pbs", *removed)
    qsub, asked = tmp_path / "bin" / "qsub", tmp_path / "asked"
    qsub.parent.mkdir()
    qsub.write_text(QSUB)
    qsub.chmod(0o755)
    path = os.pathsep.join([str(qsub.parent), os.environ["PATH"]])
    more = {"PATH": path, "ASKED": str(asked), "CUDA_VISIBLE_DEVICES": "4,5"}
    run(folder, *SCORES, *documented(root), **more)
    assert digests(folder, SCORED) == digests(local, SCORED)
    assert_apart(folder)
    jobs = asked.read_text().splitlines()
    assert len(jobs) == 2
    for job in jobs:
        assert re.search(r"-V -l select=1:ncpus=1:mem=\d+mb:ngpus=1 -l walltime=1440:00", job)
        assert "-l place=free " in job


# --- the campaign ---------------------------------------------------------------------------------


def wait_for(condition, seconds=300):
    end = time.time() + seconds
    while not (value := condition()):
        assert time.time() < end, "waited in vain"
        time.sleep(0.3)
    return value


def running(name=""):
    """Return the ids of running jobs whose comment has a word in it."""
    asked = subprocess.run(
        ["squeue", "--noheader", "--states", "R", "--format", "%i %N %k"],
        capture_output=True,
        text=True,
    )
    rows = [line.split(maxsplit=2) for line in asked.stdout.splitlines()]
    return [row for row in rows if len(row) > 2 and name in row[2]]


def state_of(node):
    asked = ["sinfo", "--noheader", "--nodes", node, "--format", "%t"]
    return subprocess.run(asked, capture_output=True, text=True).stdout


def cancel_one(process):
    job, *_ = wait_for(lambda: running("score"))[0]
    subprocess.run(["scancel", job], check=True)
    process.wait()


def lose_a_node(process):
    _, node, _ = wait_for(lambda: running("score"))[0]
    down = ["scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test"]
    subprocess.run(down, check=True)
    try:
        process.wait()
    finally:
        # Unless it has come back by itself, as Slurm may let it: ReturnToService.
        subprocess.run(["scontrol", "update", f"NodeName={node}", "State=RESUME"])
        wait_for(lambda: "down" not in state_of(node), 60)


def kill_the_submitter(process):
    wait_for(lambda: running("score"))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    unlock = [sys.executable, "-m", "speechdt.workflow.unlock"]
    refused = subprocess.run(unlock, cwd=process.folder, capture_output=True, text=True)
    # All nodes are this machine, so that the job's own processes are seen as well.
    assert re.search("are in the queue|a run is going on", refused.stderr)
    wait_for(lambda: not running())
    subprocess.run(unlock, cwd=process.folder, check=True)


@pytest.mark.campaign
@pytest.mark.parametrize("fault", [cancel_one, lose_a_node, kill_the_submitter])
def test_a_fault_on_slurm_costs_nothing_but_time(slurm, local, tmp_path, fault):
    removed = ("results/scores", "results/cache/scores", "results/levels", "results/calibration")
    folder = without(local, tmp_path / "faulty", *removed)
    process = subprocess.Popen(
        command(*ON_SLURM, "--retries", "0", *CALIBRATED),
        cwd=folder,
        env=environment(folder),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    process.folder = folder
    fault(process)
    run(folder, *ON_SLURM, *CALIBRATED)
    assert digests(folder, *MADE) == digests(local, *MADE)


@pytest.mark.campaign
def test_parts_as_an_array(slurm, local, tmp_path):
    removed = ("results/scores", "results/cache/scores", "results/levels", "results/logs/score")
    folder = without(local, tmp_path / "array", *removed)
    parts = ("--set-scatter", "score=2", "--slurm-array-jobs", "score_part")
    printed = run(folder, *SCORES, *parts, *ON_SLURM)
    assert "array" in printed.lower()
    assert digests(folder, SCORED) == digests(local, SCORED)


@pytest.mark.campaign
def test_sbatch_in_the_line_for_other_schedulers(slurm, root, local, tmp_path):
    removed = ("results/scores", "results/cache/scores", "results/levels", "results/logs/score")
    folder = without(local, tmp_path / "generic", *removed)
    arguments = [SBATCH if "qsub" in word else word for word in documented(root)]
    run(folder, *SCORES, *arguments)
    assert digests(folder, SCORED) == digests(local, SCORED)
    assert_apart(folder)


@pytest.mark.campaign
def test_the_small_configuration_is_the_same_on_slurm(slurm, root, finished, tmp_path):
    config = yaml.safe_load((root / "configs" / "ci.yaml").read_text())
    folder = new_checkout(root, tmp_path, config)
    run(folder, *ON_SLURM)
    ours, expected = (
        {name: digest for name, digest in digests(of, *MADE).items() if name not in UNTIMED}
        for of in (folder, finished)
    )
    assert ours == expected
