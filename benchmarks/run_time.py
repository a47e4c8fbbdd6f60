"""Time of a run by rule: processor seconds of each, and the time on idle cores.

Snakemake runs as it is told; each Python process that it starts writes down, when it ends, when it
began and how long processors worked for it and for those that it started. Printed are the sums by
rule, and an estimate of the time on the clock of a machine that does nothing else: while one job
ran alone its processor time (over the cores, if most of it is of processes that it started), while
several ran together theirs over the cores. Other programs on the machine lengthen the run and
hardly change these figures.

    python benchmarks/run_time.py --cores 2 -- --resources gpu=1
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

OBSERVER = """
import atexit, json, os, resource, sys, time

def told(began=time.time(), own=os.getpid()):
    if os.getpid() == own:
        used = [resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        seconds = [one.ru_utime + one.ru_stime for one in used]
        content = [sys.argv[0], began, time.time(), *seconds]
        open(os.path.join(FOLDER, f"{own}-{began}.json"), "w").write(json.dumps(content))

atexit.register(told)
"""
"""Module that Python imports by itself when it starts."""
SCRIPT = re.compile(r"\.([a-z_]+)\.py$")
"""Of a job: its name is that of its rule."""


class Job(NamedTuple):
    """A process of a rule: when it ran, for how long processors worked for it, and on how many."""

    rule: str
    start: float
    end: float
    cpu: float
    width: int


def run(cores: int, arguments: list[str]) -> tuple[list[Job], float]:
    """Run Snakemake; return its jobs and the processor seconds of Snakemake itself."""
    with tempfile.TemporaryDirectory() as folder:
        observer = OBSERVER.replace("FOLDER", repr(folder))
        (Path(folder) / "sitecustomize.py").write_text(observer)
        path = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments]
        subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=True)
        records = [json.loads(file.read_text()) for file in Path(folder).glob("*.json")]
    jobs, itself = [], 0.0
    for name, start, end, own, started in records:
        match = SCRIPT.search(name)
        if match:
            width = cores if started > own else 1
            jobs.append(Job(match[1], start, end, own + started, width))
        elif name.endswith("snakemake/__main__.py"):
            itself += own
    return jobs, itself


def on_idle_cores(jobs: list[Job], cores: int) -> tuple[float, float]:
    """Return how long idle cores take, and for how long of that only one job runs."""
    moments = sorted({moment for job in jobs for moment in (job.start, job.end)})
    total = alone = 0.0
    for first, last in pairwise(moments):
        beside = [job for job in jobs if job.start <= first and job.end >= last]
        worked = sum(job.cpu * (last - first) / (job.end - job.start) for job in beside)
        width = min(sum(job.width for job in beside), cores)
        total += worked / width if beside else 0.0
        alone += worked if width == 1 else 0.0
    return total, alone


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("arguments", nargs="*", help="of Snakemake, after --")
    arguments = parser.parse_args()
    jobs, itself = run(arguments.cores, arguments.arguments)
    rules: dict[str, list[float]] = {}
    for job in jobs:
        rules.setdefault(job.rule, []).append(job.cpu)
    for rule, seconds in sorted(rules.items(), key=lambda item: -sum(item[1])):
        print(f"{rule:<26} {len(seconds):4} jobs {sum(seconds):8.1f} s")
    total, alone = on_idle_cores(jobs, arguments.cores)
    print(f"{'Snakemake itself':<26} {'':9} {itself:8.1f} s")
    print(f"all: {(sum(map(sum, rules.values())) + itself) / 60:.1f} processor minutes")
    print(
        f"{total / 60:.1f} minutes on {arguments.cores} idle cores, "
        f"{alone / 60:.1f} of them with one job at a time"
    )


if __name__ == "__main__":
    main()
