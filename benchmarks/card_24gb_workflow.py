"""Peak memory of the paper's whole workflow, held against a card of 24 GB.

`configs/paper.yaml` and `configs/paper_24gb.yaml` are run as they are but for their sizes: random
weights of Qwen2-Audio-7B's shape, the embedded corpus, one seed, few clips and steps. Scoring,
order bias, the bank, searches by the model's own words, LoRA and latency run as the workflow's own
jobs, each capped to what such a card leaves (22.5 GiB: less context and display), and each notes
its peak. `benchmarks/card_24gb.py` measures the same steps at sizes where speed means something.

    python benchmarks/card_24gb_workflow.py --random 7b                       # on a GPU
    python benchmarks/card_24gb_workflow.py --random small --device cpu       # a rehearsal

What was killed goes on with `--model results/card_24gb/random-7b`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from acceptance import random_checkpoint

ROOT = Path(__file__).resolve().parents[1]
HOOK = ROOT / "benchmarks" / "capped"
RESULTS = ROOT / "results" / "card_24gb"
CAP_GIB = 22.5
FILES = ("configs/paper.yaml", "configs/paper_24gb.yaml")
TABLES = ("matrix", "order_bias", "prompts", "searches", "adapters", "latency")
ASKED = ("A1", "A2", "B1", "B2", "B3", "B4")
SEARCHES = {"base": "A2", "large": "B4"}
"""Searches of that configuration, and the variants that ask what they found."""
PROPOSERS = {"base": "template", "large": {"kind": "self", "most_tokens": 300}}
"""Random weights never end a reply and write no prompt: one search has prompts to ask about, the
other lets the model write."""
PROBE = """
import torch
try:
    torch.empty(int({most} * 2**30), dtype=torch.uint8, device="cuda")
except torch.OutOfMemoryError:
    print("capped")
"""


def sizes(model: str, device: str, only: Sequence[str]) -> dict[str, Any]:
    """Return what is changed of the paper's configuration: sizes, corpus, weights, fewer rows."""
    few = {"seeds": [1], "clips": 64, "epochs": 1, "eval_steps": 2, "dev_clips": 32}
    few |= {"warmup_steps": 0}
    brief = {"steps": 1, "candidates": 2, "start": 1, "replicates": 100}
    without = dict.fromkeys({*ASKED, "D3", "D4", "L1"} - set(only))
    searches = {name: brief | {"proposer": PROPOSERS[name]}
                for name, asks in SEARCHES.items() if asks in only}  # fmt: skip
    return {
        "pathvars": {
            "results": "results/card_24gb",
            "logs": "results/card_24gb/logs",
            "benchmarks": "results/card_24gb/benchmarks",
        },
        "corpus": [{"kind": "folder", "path": "corpus"}],
        "models": {"qwen2_audio": {"model": model, "device": device}, "qwen3_omni": "nano"},
        "grid": {"snr_db": [-5, 10], "curve_snr_db": [-15], "duration_ms": [200, 1000]},
        "trials": {"items": {"dev": 10, "test": 16}, "train_clips": 64, "growing": []},
        "bootstrap": {"replicates": 100},
        "latency": {"clips": 20},
        "presentation": {"probe_clips": 20},
        "leave_one_out": {"variants": []},
        "adapters": dict.fromkeys(("small_unmasked", "small", "large"), few),
        "searches": dict.fromkeys(SEARCHES) | searches,
        "variants": without,
    }


def environment(notes: Path) -> dict[str, str]:
    """Return that of the jobs: what is capped, and where peaks are noted."""
    notes.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join(filter(None, [str(HOOK), str(ROOT), os.getenv("PYTHONPATH")]))
    variables = {
        "PYTHONPATH": path,
        "SPEECHDT_CAP_GIB": str(CAP_GIB),
        "SPEECHDT_CAP_NOTES": str(notes),
    }
    return {**os.environ, **variables}


def is_capped(variables: dict[str, str]) -> bool:
    """Say whether more than the cap is refused, in a script that runs as a job's does."""
    script = RESULTS / ".snakemake" / "scripts" / "probe.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(PROBE.format(most=CAP_GIB + 1))
    done = subprocess.run(
        [sys.executable, str(script)], env=variables, capture_output=True, text=True
    )
    return done.stdout.strip() == "capped"


def run(options: argparse.Namespace, variables: dict[str, str]) -> int:
    """Run the workflow up to its tables, and return its exit status."""
    file = RESULTS / "told.yaml"
    file.write_text(yaml.safe_dump(sizes(options.model, options.device, options.only)))
    targets = [f"results/card_24gb/tables/{name}.csv" for name in options.tables]
    command = [sys.executable, "-m", "snakemake", "--cores", options.cores]
    command += ["--resources", "gpu=1", "--rerun-incomplete", *options.snakemake, *targets]
    command += ["--configfile", *FILES, str(file)]
    # A run that was killed leaves its lock; one that still runs keeps it.
    subprocess.run([sys.executable, "-m", "speechdt.workflow.unlock"], cwd=ROOT, check=True)
    return subprocess.run(command, cwd=ROOT, env=variables).returncode


def report(notes: Path) -> pd.DataFrame:
    """Return the peaks of all jobs that used a GPU, the largest first."""
    rows = [json.loads(file.read_text()) for file in sorted(notes.glob("*.json"))]
    columns = ["job", "of", "seconds", "allocated_gib", "reserved_gib"]
    table = pd.DataFrame(rows, columns=columns)
    return table[table["job"] != "probe"].sort_values("reserved_gib", ascending=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", help="folder or hub id of a Qwen2-Audio")
    which.add_argument("--random", choices=["small", "7b"], help="random weights, laid out as it")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--cores", default="all")
    parser.add_argument("--only", nargs="+", choices=ASKED, default=ASKED, help="these rows alone")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES, help="likewise")
    parser.add_argument("snakemake", nargs="*", help="further arguments of snakemake, behind --")
    options = parser.parse_args()
    start = time.perf_counter()
    RESULTS.mkdir(parents=True, exist_ok=True)
    if options.random:
        options.model = random_checkpoint(options.random, options.device, RESULTS)
    notes = RESULTS / "peaks"
    variables = environment(notes)
    if options.device != "cpu" and not is_capped(variables):
        sys.exit("error: there is no GPU, or its memory cannot be capped")
    status = run(options, variables)
    table = report(notes)
    table.to_csv(RESULTS / "peaks.csv", index=False)
    print(table.to_string(index=False))
    if status:
        sys.exit("the workflow failed: its last lines say why")
    least = table["reserved_gib"].max() if len(table) else 0.0
    minutes = (time.perf_counter() - start) / 60
    print(f"{len(table)} jobs on the GPU, {least} of {CAP_GIB} GiB at most, {minutes:.1f} minutes")
    sys.exit(bool(least > CAP_GIB))


if __name__ == "__main__":
    main()
