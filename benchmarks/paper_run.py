"""Time of the paper's matrix, by rule and in sum: random weights, the embedded recordings.

A1 to B4, D1, D2 and L1 with the trainings, the bank and both searches of configs/paper.yaml: its
clips, steps and evaluations, no corpus left out. Random weights cannot write prompts, so those come
of the template. Without the extra `vocabulary`, which brings Qwen's own, a stand-in cuts most of
them into about three times as many tokens. Seconds are those of Snakemake's own benchmark files;
how much of them went into reading weights the jobs' logs say, and into evaluation the trainings'
own records.

    python benchmarks/paper_run.py FOLDER --random-7b --until audit_leaks   # the trials alone
    python benchmarks/paper_run.py FOLDER --random-7b --minutes 9    # stops, and goes on next time
    python benchmarks/paper_run.py FOLDER --small                    # on a CPU, small models
    python benchmarks/paper_run.py FOLDER --report                   # what there is so far
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from backends.qwen.loading import READ

ROOT = Path(__file__).resolve().parents[1]
KINDS = {
    "finetune": "training",
    "search_prompts": "searching",
    "score_searched": "searching",
    "score": "scoring",
    "score_part": "scoring",
    "ask_further": "scoring",
    "measure_order_bias": "scoring",
    "latency": "timing",
    "time_base": "timing",
}
"""What a rule's time goes into; all else is data, analysis and pages."""
ABSENT = ("C1", "D3", "D4")
SMALL = {"dev_clips": 16, "steps": 4, "eval_steps": 2, "clips": 16}


def make_model(folder: Path, small: bool) -> None:
    """Save random weights, once."""
    complete = folder / "complete"
    if complete.exists():
        return
    import acceptance
    import random_qwen
    import torch

    if not small and acceptance.published_layouts.ranks_file():
        Path(acceptance.random_checkpoint("7b", "cuda", folder.parent)).rename(folder)
        complete.touch()
        return
    changes = random_qwen.SMALL["qwen2_audio"] if small else {}
    device = "cpu" if small else "cuda"
    dtype = torch.float32 if small else torch.bfloat16
    lm = random_qwen.build("qwen2_audio", folder, device, dtype, **changes)
    lm.save_pretrained(folder, max_shard_size="4GB")
    complete.touch()


def configuration(folder: Path, small: bool, seeds: int) -> dict[str, Any]:
    """Return the paper's configuration on random weights and the embedded recordings."""
    paper = yaml.safe_load((ROOT / "configs" / "paper.yaml").read_text())
    adapters = paper["adapters"]
    searches = {name: paper["searches"][name] | {"proposer": "template"}
                for name in ("base", "large")}  # fmt: skip
    for entry in adapters.values():
        entry["seeds"] = list(range(1, seeds + 1))
        if small:
            entry |= SMALL
    if small:
        searches = {name: entry | {"steps": 2, "candidates": 2, "replicates": 100}
                    for name, entry in searches.items()}  # fmt: skip
    model = {"model": str(folder / "model"), **({"device": "cpu"} if small else {})}
    settings: dict[str, Any] = {
        "corpus": [{"kind": "folder", "path": str(ROOT / "corpus")}],
        "models": {"qwen2_audio": model},
        "trials": {"train_clips": paper["trials"]["train_clips"]},
        "bootstrap": paper["bootstrap"],
        "adapters": adapters,
        "searches": searches | {"omni": None},
        "variants": dict.fromkeys(ABSENT),
    }
    if small:
        settings = yaml.safe_load((ROOT / "configs" / "ci.yaml").read_text()) | settings
        settings["trials"] = {"items": {"dev": 10, "test": 16}, "train_clips": 100}
        settings["bootstrap"] = {"replicates": 100}
    return settings


def run(folder: Path, cores: int, minutes: float, until: list[str]) -> tuple[int | None, float]:
    """Run Snakemake for a while; return its exit status (None: stopped) and the seconds."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"),
               "--directory", str(folder), "--configfile", str(folder / "paper_run.yaml"),
               "--cores", str(cores), "--resources", "gpu=1", "--rerun-incomplete",
               "--quiet", "rules", *(["--until", *until] if until else [])]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    began = time.perf_counter()
    with (folder / "snakemake.log").open("a") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            status = process.wait(minutes * 60)
        except subprocess.TimeoutExpired:
            status = None
            # As a user's Ctrl-C; what is left of a job is known as unfinished, and begun anew.
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            unlock = [*command[:9], "--unlock"]
            subprocess.run(unlock, env=environment, check=False, capture_output=True)
    return status, time.perf_counter() - began


def by_rule(results: Path) -> pd.DataFrame:
    """Return jobs and seconds of each rule, from Snakemake's benchmark files."""
    rows = [
        {"rule": file.relative_to(results / "benchmarks").parts[0],
         "s": float(pd.read_csv(file, sep="\t")["s"].sum())}
        for file in sorted((results / "benchmarks").rglob("*.tsv"))
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["rule", "s"])
    grouped = table.groupby("rule")["s"].agg(jobs="count", seconds="sum", longest="max")
    return grouped.sort_values("seconds", ascending=False)


def report(folder: Path) -> dict[str, Any]:
    """Return seconds by rule and by what they went into."""
    results = folder / "results"
    rules = by_rule(results)
    kinds: dict[str, float] = defaultdict(float)
    for rule, seconds in rules["seconds"].items():
        kinds[KINDS.get(str(rule), "data, analysis, pages")] += float(seconds)
    reads = [
        float(seconds)
        for log in (results / "logs").rglob("*.log")
        for seconds in re.findall(rf"{READ} ([\d.]+) s", log.read_text(errors="replace"))
    ]
    evaluated = sum(
        entry.get("evaluation_s", 0.0)
        for file in (results / "adapters").glob("*.speed.json")
        for entry in json.loads(file.read_text())
    )
    kinds["training"] -= evaluated
    kinds["evaluation on dev"] = evaluated
    total = float(rules["seconds"].sum())
    sittings = folder / "sittings.json"
    return {
        "by_rule": rules.round(1).reset_index().to_dict("records"),
        "by_kind": {name: round(s, 1) for name, s in kinds.items()},
        "reading_weights": {"times": len(reads), "seconds": round(sum(reads), 1)},
        "sum_s": round(total, 1),
        "sittings": json.loads(sittings.read_text()) if sittings.exists() else [],
    }


def show(figures: dict[str, Any]) -> None:
    for row in figures["by_rule"]:
        print(f"{row['rule']:24s} {row['jobs']:4d} jobs {row['seconds']:9.1f} s, "
              f"longest {row['longest']:.1f} s")  # fmt: skip
    total = figures["sum_s"]
    reads = figures["reading_weights"]
    kinds = figures["by_kind"] | {f"of it reading, {reads['times']} times": reads["seconds"]}
    for name, seconds in kinds.items() if total else ():
        print(f"{name:24s} {seconds:9.1f} s  {seconds / total:4.0%}")
    sat = [sitting["seconds"] for sitting in figures["sittings"]]
    each = " + ".join(f"{seconds:.1f}" for seconds in sat)
    print(f"sum of rules {total:.1f} s; {len(sat)} sittings: {each} = {sum(sat):.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--random-7b", action="store_true", help="Qwen2-Audio-7B's shape")
    which.add_argument("--small", action="store_true", help="a few thousand weights, on a CPU")
    which.add_argument("--report", action="store_true", help="run nothing")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--minutes", type=float, default=24 * 60.0, help="stop after these")
    parser.add_argument("--until", nargs="*", default=[], help="rules, for Snakemake")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    status: int | None = 0
    if not options.report:
        make_model(folder / "model", options.small)
        settings = configuration(folder, options.small, options.seeds)
        (folder / "paper_run.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
        status, seconds = run(folder, options.cores, options.minutes, options.until)
        sittings = folder / "sittings.json"
        earlier = json.loads(sittings.read_text()) if sittings.exists() else []
        sittings.write_text(json.dumps([*earlier, {"seconds": seconds, "status": status}]))
    figures = report(folder)
    (folder / "paper_run.json").write_text(json.dumps(figures, indent=1) + "\n")
    show(figures)
    if status is None:
        print("stopped; the same command goes on")
    elif status:
        sys.exit(f"snakemake failed: {folder / 'snakemake.log'}")


if __name__ == "__main__":
    main()
