"""Peak memory and speed of the paper's steps on a card of 24 GB, with NF4 held against 12 GB.

The weights are random, of the real shape of Qwen2-Audio-7B; memory is capped to what such a card
leaves (22.5 GiB: less context and display). Measured are the peak and the speed of scoring, of
latency, of a prompt search's questions, of LoRA as `configs/paper_24gb.yaml` has it (clips of 200
and of 1,000 ms, and a batch that does not fit, which has to be halved by itself), of scoring with
the adapter; and the same of NF4 and int8 where bitsandbytes is installed, with their deviation from
bfloat16. Two jobs at once claim a GPU each.

    python benchmarks/card_24gb.py --random-7b --out card.json           # on a GPU: 8 minutes
    python benchmarks/card_24gb.py --model FOLDER --device cpu --quick    # a nano on a CPU
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

# Steps are jobs of their own in a run: none shall find memory in pieces that another left behind.
os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")

import numpy as np
import torch
import transformers
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import random_qwen
from support.trial_cells import row
from timing import make_clips, milliseconds, seconds

from backends.qwen.detector import Qwen2Audio
from backends.qwen.question import BASELINE_PROMPT
from speechdt.gpu_driver import Driver, asked_driver
from speechdt.trials.cells import write_cell

ROOT = Path(__file__).resolve().parents[1]
GIB = 2**30
CAP_GIB = 22.5
SMALL_CARD_GIB = 12.0
"""What quantised scoring and LoRA are to stay below."""
CLAIM = """
import sys, time
from speechdt.workflow.devices import claimed
with claimed(1) as gpus:
    print(",".join(gpus), flush=True)
    time.sleep(float(sys.argv[1]))
"""


class Card:
    """Steps measured one by one on a capped device."""

    def __init__(self, device: str):
        self.on_gpu = device == "cuda"
        self.rows: list[dict[str, Any]] = []
        if self.on_gpu:
            total = torch.cuda.get_device_properties(0).total_memory
            torch.cuda.set_per_process_memory_fraction(min(1.0, CAP_GIB * GIB / total), 0)

    @contextmanager
    def step(self, name: str) -> Any:
        """Measure a step: seconds and peak memory; a failure is a row of its own."""
        gc.collect()
        if self.on_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        figures: dict[str, Any] = {"step": name}
        start = time.perf_counter()
        try:
            yield figures
        except Exception as error:
            figures["failed"] = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
        figures["seconds"] = round(time.perf_counter() - start, 1)
        if self.on_gpu:
            figures["peak_gib"] = round(torch.cuda.max_memory_allocated() / GIB, 2)
            figures["reserved_gib"] = round(torch.cuda.max_memory_reserved() / GIB, 2)
        self.rows.append(figures)
        print(f"  {figures}", flush=True)


def cells(folder: Path, clips: int, ms: int) -> list[Path]:
    """Write one cell of tones and noise."""
    rows = []
    for number, clip in enumerate(make_clips(clips, ms)):
        label = ("SPEECH", "NONSPEECH")[number % 2]
        quiet = clip * (1.0 if label == "SPEECH" else 0.05)
        rows.append(row(f"x-{label.lower()}-{number:06d}", label, ms, quiet.astype(np.float32)))
    folder.mkdir(parents=True, exist_ok=True)
    write_cell(folder / f"snr0_dur{ms}.parquet", rows)
    return [folder / f"snr0_dur{ms}.parquet"]


def large(**changes: Any) -> dict[str, Any]:
    """Return the settings of `large` as the paper has them on such a card, without its data."""
    settings: dict[str, Any] = {}
    for name in ("paper", "paper_24gb"):
        configuration = yaml.safe_load((ROOT / "configs" / f"{name}.yaml").read_text())
        settings |= configuration["adapters"]["large"]
    for key in ("seeds", "clips", "epochs"):
        settings.pop(key)
    return settings | {"warmup_steps": 0} | changes


def score(card: Card, name: str, options: dict[str, Any], quick: bool) -> np.ndarray | None:
    """Score, time single clips and ask a search's questions; return the log-odds of 200 ms."""
    odds = None
    with card.step(f"{name}: scoring") as figures:
        detector = Qwen2Audio(**options)
        for ms in (200, 1000):
            clips = make_clips(32 if quick else 512, ms)
            detector.score(clips[:8])
            figures[f"clips_s_{ms}"] = round(
                len(clips) / seconds(lambda c=clips: detector.score(c)), 1
            )
        odds = detector.log_odds(make_clips(100, 200), both=False)[0, 0]
    if odds is None:
        return None
    with card.step(f"{name}: latency") as figures:
        clips = make_clips(8 if quick else 60, 200)
        for clip in clips[:5]:
            detector.score([clip])
        times = [seconds(partial(detector.score, [clip])) for clip in clips]
        figures |= {key: round(value, 2) for key, value in milliseconds(times).items()}
    with card.step(f"{name}: search") as figures:
        detector.keep_audio(4.0)
        words = BASELINE_PROMPT.split(" ")
        rng = np.random.default_rng(0)
        prompts = [BASELINE_PROMPT, *(" ".join(rng.permutation(words)) for _ in range(7))]
        clips = make_clips(16 if quick else 256, 1000)
        work = seconds(lambda: detector.score_prompts(clips, prompts))
        figures["pairs_s"] = round(len(prompts) * len(clips) / work, 1)
        figures["answer_mass"] = float(detector.answer_mass(clips[:16]).mean())
    return odds


def train(card: Card, name: str, out: Path, work: Path, **settings: Any) -> None:
    """Train by `finetune` itself on clips of one length."""
    ms = settings.pop("ms")
    with card.step(name) as figures:
        data = (cells(work / f"train{ms}", 256, ms), cells(work / f"dev{ms}", 64, ms))
        Qwen2Audio.finetune(*data, out, **settings)
        card_text = (out / "README.md").read_text()
        recipe = json.loads(card_text.partition("```json\n")[2].partition("\n```")[0])
        figures["batch"] = f"{recipe['batch_size']} x {recipe['gradient_accumulation']}"
        log = json.loads(out.with_name(f"{out.name}.speed.json").read_text())
        figures["clips_s"] = [one["clips_per_s"] for one in log if "clips_per_s" in one][-1:]


def quantised(card: Card, kind: str, options: dict[str, Any], base: Any, work: Path,
              quick: bool) -> None:  # fmt: skip
    """Measure a quantisation, and how far it is from what it rounds."""
    odds = score(card, kind, options | {"quantization": kind}, quick)
    if odds is not None and base is not None:
        apart = np.abs(odds - base)
        card.rows.append(
            {
                "step": f"{kind}: log-odds against bfloat16, random weights",
                "median": round(float(np.median(apart)), 3),
                "most": round(float(apart.max()), 3),
                "spread_of_bfloat16": round(float(base.std()), 3),
                "correlation": round(float(np.corrcoef(odds, base)[0, 1]), 4),
            }
        )
    if card.on_gpu:
        # The author's recipe, as far as a quantised base goes: rank 64, alpha 16.
        recipe = large(steps=6, eval_steps=3, rank=64, alpha=16, batch_size=2)
        recipe |= {"gradient_accumulation": 8, "dev_clips": 32, "ms": 1000}
        train(card, f"{kind}: LoRA, 1,000 ms", work / kind, work, **recipe, **options,
              quantization=kind)  # fmt: skip


def two_jobs() -> dict[str, Any]:
    """Start two jobs at once that claim a GPU each, and return what each has."""
    driver = asked_driver()
    gpus = driver.gpus if isinstance(driver, Driver) else 0
    if gpus < 2:
        return {"step": "two jobs at once", "skipped": f"{gpus} GPUs"}
    command = [sys.executable, "-c", CLAIM, "5"]
    jobs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(2)
    ]
    taken = [job.stdout.readline().strip() for job in jobs if job.stdout]
    for job in jobs:
        job.wait()
    return {"step": "two jobs at once", "devices": taken, "differ": len(set(taken)) == 2}


def measure(options: argparse.Namespace, work: Path) -> dict[str, Any]:
    device = options.device
    claims = two_jobs()  # before this process holds a GPU
    card = Card(device)
    report: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if card.on_gpu else "CPU",
        "cap_gib": CAP_GIB if card.on_gpu else None,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }
    folder = Path(options.model) if options.model else work / "model"
    if options.random_7b:
        with card.step("random weights written"):
            model = random_qwen.build("qwen2_audio", folder, device)
            model.save_pretrained(folder, max_shard_size="4GB")
            del model
    chosen = {"model": str(folder), "device": device}
    quick = options.quick
    steps = {"steps": 4, "eval_steps": 2, "dev_clips": 32} if quick else {
        "steps": 12, "eval_steps": 6, "dev_clips": 64
    }  # fmt: skip
    base = score(card, "bfloat16" if card.on_gpu else "float32", chosen, quick)
    for ms in (200, 1000):
        train(card, f"LoRA `large`, {ms:,} ms", work / f"lora{ms}", work, ms=ms,
              **large(**steps), **chosen)  # fmt: skip
    doubled = large(**steps, batch_size=32, gradient_accumulation=1)
    train(card, "LoRA, 1,000 ms, a batch that does not fit", work / "halved", work, ms=1000,
          **doubled, **chosen)  # fmt: skip
    score(card, "with the adapter", chosen | {"adapter": str(work / "lora1000")}, True)
    for kind in ("nf4", "int8") if importlib.util.find_spec("bitsandbytes") else ():
        quantised(card, kind, chosen, base, work, quick)
    return report | {"steps": [*card.rows, claims]}


def verdicts(report: dict[str, Any]) -> list[str]:
    """Return a line for each thing that is to hold on a GPU."""
    lines = []
    for one in report["steps"]:
        name, peak = one["step"], one.get("reserved_gib")
        if "failed" in one:
            lines.append(f"MISSED: {name}: {one['failed']}")
        elif "does not fit" in name:
            pass  # fills the card, by its purpose
        elif peak is not None:
            cap = SMALL_CARD_GIB if name.startswith("nf4") else CAP_GIB
            lines.append(f"{'met' if peak <= cap else 'MISSED'}: {name}: {peak} of {cap} GiB")
        if "does not fit" in name and report["cap_gib"] and one.get("batch") == "32 x 1":
            lines.append(f"MISSED: {name}: it fitted, and nothing was halved")
        if one.get("differ") is False:
            lines.append(f"MISSED: {name}: both took {one['devices'][0]}")
    return lines


def table(rows: list[dict[str, Any]], value: Callable[[Any], str] = str) -> str:
    lines = ["| step | s | peak GiB | reserved GiB | figures |", "|---|---|---|---|---|"]
    for one in rows:
        columns = ("step", "seconds", "peak_gib", "reserved_gib")
        rest = ", ".join(f"{key} {value(one[key])}" for key in one if key not in columns)
        lines.append("| " + " | ".join([*(str(one.get(key, "")) for key in columns), rest]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", help="folder or hub id of a Qwen2-Audio")
    which.add_argument("--random-7b", action="store_true", help="Qwen2-Audio-7B's shape")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--out", type=Path, help="write the report here, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        report = measure(options, Path(work))
    print(table(report["steps"]))
    report["verdicts"] = verdicts(report)
    print("\n".join(report["verdicts"]))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
