"""Runs of the workflow killed at moments all over them, compared with undisturbed runs.

Two undisturbed runs, in folders of their own: files that they do not have alike hold times of day
or durations, and are left out of the comparison. Each campaign is one more run, which is killed
with all of its processes (SIGKILL) once so many of its jobs have ended and a random while has
passed, begun again, killed at its next moment, and so on to its end; then its files are compared.
A tenth of the moments lie in the first seconds after a start, wherever the run is.

    python benchmarks/kills.py --moments 50

makes one campaign after another; ``--campaigns 8 --workers 10`` all of them and the two
undisturbed runs side by side. With ``--folder`` what has ended is not run again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("all", "paper", "release")
VARIANTS = "A1 A2 B1 B3 B4 C1 D3 D4 L1"
"""Rows that are left out: WebRTC, Silero and a nano model with an adapter stay."""
SETTINGS = f"""\
grid: {{snr_db: [-5, 10], curve_snr_db: [-15], duration_ms: [200, 1000]}}
trials: {{items: {{dev: 10, test: 16}}, growing: [16]}}
bootstrap: {{replicates: 100}}
conditions:
  {{items: 8, snr_db: [-10, 10], axes: {{background: [pink], room: [0.3], channel: [g711]}}}}
comparisons: {{permutations: 500}}
latency: {{clips: 20}}
nano: {{reading_steps: 5, hearing_steps: 5, clips: 8}}
gallery: {{clips: 4, embedded: 4}}
adapters:
  small: {{clips: 16, epochs: 2, batch_size: 4, eval_steps: 2, warmup_steps: 1, dev_clips: 16}}
variants: {{{", ".join(f"{name}: null" for name in VARIANTS.split())}}}
"""
NOT_COMPARED = ("logs", "benchmarks", "cache", "manifest")
"""Folders of results that say how a run went."""
LAST_JOBS = 4
"""Jobs that are still to be done at the last moment of a run, so that it does not end first."""
IN_START_S = 8.0
"""Longest time from a start to a kill that falls into reading the workflow, in s."""


class Moment(NamedTuple):
    """When a run is killed.

    Attributes
    ----------
    share : float or None
        Of its jobs, that have ended by then; None for a moment soon after a start.
    delay_s : float
        What passes after that.
    """

    share: float | None
    delay_s: float


def moments(count: int, seed: int, longest_s: float) -> list[Moment]:
    """Return moments spread evenly over the jobs of a run, in order."""
    chance = random.Random(seed)
    planned = []
    for number in range(count):
        share, delay = (number + chance.random()) / count, chance.uniform(0, longest_s)
        at_start = number % 10 == 5
        planned.append(
            Moment(None, chance.uniform(0.2, IN_START_S)) if at_start else Moment(share, delay)
        )
    return planned


def checkout(folder: Path) -> Path:
    """Copy this checkout without what it made, with the small configuration."""
    if folder.exists():  # of a campaign that was broken off
        shutil.rmtree(folder)
    made = shutil.ignore_patterns(".*", "results", "build", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, folder, symlinks=True, ignore=made)
    (folder / "kills.yaml").write_text(SETTINGS)
    return folder


def start(folder: Path, cores: int) -> subprocess.Popen[bytes]:
    """Start a run in a process group of its own; what it says goes to a file."""
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *TARGETS]
    with (folder / "said.txt").open("wb") as output:
        return subprocess.Popen(
            [*command, "--configfile", "kills.yaml"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder)},
            start_new_session=True,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def kill(run: subprocess.Popen[bytes]) -> None:
    """Kill a run with all of its processes, and wait until none is left."""
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    while True:
        try:
            os.killpg(run.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)


def jobs_left(folder: Path) -> int | None:
    """Return how many jobs a run has still to do, by its own words; None before it knows."""
    output = (folder / "said.txt").read_text(errors="replace")
    if steps := re.findall(r"^(\d+) of (\d+) steps", output, re.MULTILINE):
        return int(steps[-1][1]) - int(steps[-1][0])
    if total := re.search(r"^total +(\d+)$", output, re.MULTILINE):
        return int(total[1])
    return None


def reached(run: subprocess.Popen[bytes], folder: Path, moment: Moment, jobs: int) -> bool:
    """Wait for a moment of a run of so many jobs; return False if the run has ended before."""
    while moment.share is not None:
        left = jobs_left(folder)
        if left is not None and left <= max(jobs * (1 - moment.share), LAST_JOBS):
            break
        if run.poll() is not None:
            return False
        time.sleep(0.1)
    try:
        run.wait(timeout=moment.delay_s)
    except subprocess.TimeoutExpired:
        return True
    return False


def unlock(folder: Path) -> str:
    """Free the folder as `make results` does; return why it cannot be, '' if it is free."""
    done = said_by(folder, "speechdt.workflow.unlock")
    if done.returncode == 0:
        return ""
    said_by(folder, "snakemake", "--unlock", "--configfile", "kills.yaml").check_returncode()
    return done.stderr.strip()


def said_by(folder: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module in a folder, and return what it says."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        text=True,
        capture_output=True,
    )


def digests(folder: Path) -> dict[str, str]:
    """Return the hash of each file of the results."""
    results = folder / "results"
    return {
        str(name): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(results.rglob("*"))
        if file.is_file()
        and (name := file.relative_to(results)).parts[0] not in NOT_COMPARED
        and not file.name.startswith(".")
    }


def differing(ours: dict[str, str], expected: dict[str, str]) -> list[str]:
    """Return the names of files that are not the same, or not in both."""
    names = sorted(ours.keys() | expected.keys())
    return [name for name in names if ours.get(name) != expected.get(name)]


def at_work(folder: Path) -> str:
    """Return the rules whose jobs were under way, by the manifest of the results."""
    entries = []
    for file in (folder / "results/manifest").glob("*/*.json"):
        if file.parent.name != "code":
            entries.append(json.loads(file.read_text()))
    rules = sorted({entry["rule"] for entry in entries if not entry["complete"]})
    return f"{', '.join(rules) or 'no job'} ({sum(e['complete'] for e in entries)} done)"


def run_killed(
    name: str, folder: Path, planned: list[Moment], jobs: int, cores: int
) -> dict[str, Any]:
    """Run to the end, and kill the run at each of the moments.

    Returns
    -------
    dict
        ``seconds``; ``files``, their hashes; ``said``, a line for each event: ``killed: …`` with
        the rules at work, ``by hand: …`` where a lock wanted it, ``failed: …`` for a run that
        ended by itself and not well, ``ended``, ``missed`` for moments after the end.
    """
    left, begun = list(planned), time.perf_counter()
    events: list[str] = []

    def note(line: str) -> None:
        events.append(line)
        print(f"{name} {time.perf_counter() - begun:4.0f} s  {line}", flush=True)

    checkout(folder)
    while True:
        run = start(folder, cores)
        if left and reached(run, folder, left[0], jobs):
            kill(run)
            left.pop(0)
            note(f"killed: {at_work(folder)}")
            if why := unlock(folder):
                note(f"by hand: {why}")
            continue
        if run.wait() == 0:
            break
        note("failed: " + (folder / "said.txt").read_text()[-3000:])
        if sum(line.startswith("failed") for line in events) > 2:
            break
    events += ["missed"] * len(left)
    note("ended")
    return {"seconds": time.perf_counter() - begun, "events": events, "files": digests(folder)}


def count_jobs(folder: Path) -> int:
    """Return of how many jobs a run consists, by a dry run in a folder."""
    checkout(folder)
    dry = ["--cores", "1", "-n", *TARGETS, "--configfile", "kills.yaml"]
    done = said_by(folder, "snakemake", *dry)
    total = re.search(r"^total +(\d+)$", done.stdout + done.stderr, re.MULTILINE)
    if total is None:
        sys.exit(done.stdout + done.stderr)
    return int(total[1])


def kept(file: Path, name: str, *arguments: Any) -> dict[str, Any]:
    """Return what a run has ended with, from the file that an earlier benchmark wrote of it."""
    if not file.exists():
        ended = run_killed(name, *arguments)
        file.write_text(json.dumps(ended, indent=1))
    return dict(json.loads(file.read_text()))


def summary(first: dict[str, Any], second: dict[str, Any], killed: list[dict[str, Any]]) -> None:
    """Print what came of all campaigns, the figures as JSON in the end."""
    clocked = set(differing(first["files"], second["files"]))
    expected = {name: d for name, d in first["files"].items() if name not in clocked}
    outcomes, at = Counter[str](), Counter[str]()
    wrong: list[str] = []
    for campaign in killed:
        for line in campaign["events"]:
            kind, _, detail = line.partition(": ")
            outcomes[kind] += 1
            if kind == "killed":
                at.update(detail.partition(" (")[0].split(", "))
        ours = {name: d for name, d in campaign["files"].items() if name not in clocked}
        wrong += differing(ours, expected)
    print(f"not alike in two undisturbed runs: {', '.join(sorted(clocked))}")
    print("at work when killed: " + ", ".join(f"{rule} {n}" for rule, n in at.most_common()))
    resumed = outcomes["killed"] - outcomes["failed"] - outcomes["by hand"]
    print(
        f"{outcomes['killed']} kills, {resumed} resumed; {len(killed)} runs ended, each compared "
        f"in {len(expected)} files, not the same: {', '.join(wrong) or 'none'}"
    )
    seconds = {"undisturbed": first["seconds"], "killed": max(c["seconds"] for c in killed)}
    figures = {"files": len(expected), "not the same": wrong, "seconds": seconds}
    zeros = dict.fromkeys(("killed", "failed", "by hand", "missed"), 0)
    print(json.dumps(zeros | outcomes | {"resumed": resumed} | figures))


def main() -> None:
    """Print a line a kill, and a summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=50, help="of all campaigns together")
    parser.add_argument("--campaigns", type=int, default=8, help="runs that are killed")
    parser.add_argument("--workers", type=int, default=1, help="runs side by side")
    parser.add_argument("--cores", type=int, default=2, help="of each run")
    parser.add_argument("--longest", type=float, default=4.0, help="seconds from a job to a kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary one by default")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="kills-"))
    folder.mkdir(parents=True, exist_ok=True)
    jobs = count_jobs(folder / "count")
    print(f"{jobs} jobs", flush=True)
    planned = moments(asked.moments, asked.seed, asked.longest)
    runs: dict[str, list[Moment]] = {"first": [], "second": []}
    runs |= {f"c{n}": planned[n :: asked.campaigns] for n in range(asked.campaigns)}
    with ThreadPoolExecutor(asked.workers) as pool:
        tasks = [
            pool.submit(kept, folder / f"{name}.json", name, folder / name, some, jobs, asked.cores)
            for name, some in runs.items()
        ]
        first, second, *killed = [task.result() for task in tasks]
    summary(first, second, killed)
    if asked.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
