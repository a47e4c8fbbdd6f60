"""Speed-up of one variant that is scored in parts, on as many GPUs of one machine.

The workflow's own jobs score dev and test with one language model: once in one job, and once with
`--set-scatter score=N --resources gpu=N`, each time with the trials at hand and no earlier answer.
Seconds are those of all scoring, loading of weights included.

    python benchmarks/random_qwen.py qwen2_audio /tmp/random-7b
    python benchmarks/scatter_speed.py --model /tmp/random-7b --parts 2 --items 1000

The scores of both are compared: the same bytes on a CPU, log-odds within the bound of bf16 on GPUs
(docs/models.md).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy.special import logit

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "scatter"
VARIANTS = ("A1", "A2", "B1", "B2", "B3", "B4", "C1", "D1", "D2", "D3", "D4", "L1")


def configuration(model: str, device: str, items: int) -> dict[str, Any]:
    """Return one language model on the plan's grid, asked in both orders."""
    one = {"backend": "qwen2_audio", "prompt": "baseline", "option_order": "both"}
    return {
        "pathvars": {"results": str(RESULTS.relative_to(ROOT))},
        # What else one job would ask of a checkpoint is no part of this.
        "jobs": {"together": False},
        "models": {"qwen2_audio": model if model == "nano" else {"model": model, "device": device}},
        "grid": {"curve_snr_db": []},
        "trials": {"items": {"dev": items, "test": items}},
        "presentation": {"probe_clips": 20},
        "searches": dict.fromkeys(("base", "large", "omni")),
        "variants": dict.fromkeys(VARIANTS) | {"A1": one},
    }


def snakemake(file: Path, *arguments: str) -> float:
    """Run the workflow, and return how long it took in s."""
    command = [sys.executable, "-m", "snakemake", *arguments, "--configfile", str(file)]
    path = os.pathsep.join(filter(None, [str(ROOT), os.getenv("PYTHONPATH")]))
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path})
    if done.returncode:
        sys.exit("error: the workflow failed; its last lines say why")
    return time.perf_counter() - start


def scored(file: Path, parts: int, cores: str) -> tuple[float, pd.DataFrame]:
    """Score all trials anew, and return how long it took and what was answered."""
    for folder in ("scores", "cache/scores", "parts"):
        shutil.rmtree(RESULTS / folder, ignore_errors=True)
    asked = [str((RESULTS / "levels" / "A1.csv").relative_to(ROOT)), "--forcerun", "score"]
    asked += ["--cores", cores, "--resources", f"gpu={parts}"]
    seconds = snakemake(file, *asked, "--set-scatter", f"score={parts}")
    files = sorted((RESULTS / "scores" / "A1").rglob("*.parquet"))
    return seconds, pd.concat([pd.read_parquet(one) for one in files], ignore_index=True)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--model", required=True, help="folder or hub id of a Qwen2-Audio, or nano")
    asked.add_argument("--parts", type=int, default=2)
    asked.add_argument("--items", type=int, default=1000, help="of each class in each split")
    asked.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    asked.add_argument("--cores", default="all")
    given = asked.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / "told.yaml"
    file.write_text(yaml.safe_dump(configuration(given.model, given.device, given.items)))
    # Before what is timed: the trials, and the model if the workflow makes it.
    made = ["trials/audit.csv"] + ["models/nano/qwen2_audio"] * (given.model == "nano")
    first = [str((RESULTS / path).relative_to(ROOT)) for path in made]
    snakemake(file, *first, "--cores", given.cores, "--resources", "gpu=1")
    alone, one = scored(file, 1, given.cores)
    together, other = scored(file, given.parts, given.cores)
    apart = np.abs(logit(one["p_speech"]) - logit(other["p_speech"]))
    print(f"{len(one)} clips, alone {alone:.1f} s, in {given.parts} parts {together:.1f} s: "
          f"{alone / together:.2f} ×")  # fmt: skip
    same = (one["trial_id"] == other["trial_id"]).all()
    print(f"same trials: {same}; log-odds differ by {apart.max():.3g} at most")


if __name__ == "__main__":
    main()
