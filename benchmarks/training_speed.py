"""Speed of LoRA as the workflow runs it: the Trainer itself, clips of 200 to 1,000 ms mixed.

Everything is within the clock but reading weights: batches, SpecAugment, the optimizer, the log.
The same script runs on an older checkout, whose figures it is then compared with.

    python benchmarks/training_speed.py --random-7b             # clips/s, dev, memory
    python benchmarks/training_speed.py --random-7b --curve     # the loss, step by step
    python benchmarks/training_speed.py --random-7b --profile   # where a step's time goes
    python benchmarks/training_speed.py --random-7b --whole --clips 3000    # x 5 epochs
    python benchmarks/training_speed.py --small                 # on a CPU: that it runs
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import random_qwen
from qwen_speed import make_clips, seconds

from backends.qwen import qwen2_audio
from backends.qwen.finetuning.finetune import Run
from backends.qwen.finetuning.settings import FineTuning
from backends.qwen.loading import choose_device
from speechdt.audio.io import flac_bytes

DURATIONS = (200, 300, 500, 1000)
"""The plan's, in ms; each as often."""
ORDERS = {
    **{"eager": (16, 1, "sdpa"), "eager, halves": (8, 2, "sdpa")},
    **{"eager, quarters": (4, 4, "sdpa"), "eager, eighths": (2, 8, "sdpa")},
    **{"eager, whole rows": (16, 1, "eager"), "eager, halves, whole rows": (8, 2, "eager")},
}
"""Batches, accumulation and attention that give the same steps, in other orders of summation.

transformers' ``eager`` attention sums whole rows of weights, ``sdpa`` goes through them by tiles.
"""


def trials(count: int, seed: int) -> pd.DataFrame:
    """Return trials of random clips, SPEECH and NONSPEECH in turns, durations mixed."""
    kinds = [make_clips(-(-count // len(DURATIONS)), ms, seed + ms) for ms in DURATIONS]
    clips = [clip for of_each in zip(*kinds, strict=True) for clip in of_each][:count]
    order = np.random.default_rng(seed).permutation(count)
    rows = [
        {"trial_id": f"{seed}-{i}", "label": ("SPEECH", "NONSPEECH")[i % 2],
         "audio": flac_bytes(clips[place])}
        for i, place in enumerate(order)
    ]  # fmt: skip
    return pd.DataFrame(rows)


class Bench:
    """A model with a fresh adapter, and trainings of it.

    Parameters
    ----------
    options : argparse.Namespace
    folder : Path
        For the processor and for checkpoints.
    """

    def __init__(self, options: argparse.Namespace, folder: Path):
        self.device, self.folder, self.options = choose_device(options.device), folder, options
        changes = random_qwen.SMALL["qwen2_audio"] if options.small else {}
        dtype = torch.float32 if self.device.type == "cpu" else torch.bfloat16
        name = self.device.type
        lm = random_qwen.build("qwen2_audio", folder / "model", name, dtype, **changes)
        self.settings = FineTuning(
            model=str(folder / "model"), rank=options.rank, dropout=options.dropout,
            batch_size=options.batches[0], gradient_accumulation=1, steps=1, eval_steps=10**6,
            learning_rate=2e-4, spec_augment=None if options.curve else {"probability": 0.5},
        )  # fmt: skip
        data = {"train": trials(options.clips, 0), "dev": trials(options.dev, 10**5)}
        self.run = Run(qwen2_audio, lm, self.settings, data)
        self.packed = getattr(self.run, "packed", None)  # older checkouts have none
        self.first = {n: w.detach().clone() for n, w in self.run.model.trained.items()}

    @contextmanager
    def trainer(self, eager: bool = False, **settings: Any) -> Iterator[Any]:
        """Yield a Trainer of the first weights; `eager`: without packed batches."""
        self.run.settings = replace(self.settings, **settings)
        with torch.no_grad():
            for name, weight in self.run.model.trained.items():
                weight.grad = None
                weight.copy_(self.first[name])
        self.run.__dict__["packed"] = None if eager else self.packed
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            trainer = self.run.trainer(Path(folder))
            trainer.args.eval_on_start = False
            trainer.args.save_strategy = "no"
            trainer.args.load_best_model_at_end = False
            yield trainer

    def clips_s(self, batch: int, accumulation: int, steps: int) -> dict[str, Any]:
        """Return the throughput of the second half of some steps, dev's, and peak memory."""
        sizes = {"batch_size": batch, "gradient_accumulation": accumulation}
        with self.trainer(**sizes, steps=steps) as trainer:
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            taken = seconds(trainer.train)
            log = [e["clips_per_s"] for e in trainer.state.log_history if "clips_per_s" in e]
            figures = {**sizes, "clips_s": float(np.median(log[len(log) // 2 :])), "log": log,
                       "seconds_of_all": taken}  # fmt: skip
            if self.device.type == "cuda":
                figures["peak_gb"] = torch.cuda.max_memory_allocated() / 1e9
            steps_of = getattr(trainer, "steps", None)
            figures["graphs"] = 0 if steps_of is None else len(steps_of.graphs)
        return figures

    def evaluation(self) -> dict[str, float]:
        """Return clips/s of dev."""
        with self.trainer() as trainer:
            trainer.evaluate()
            taken = seconds(trainer.evaluate)
        return {"clips": self.options.dev, "clips_s": self.options.dev / taken}

    def curve(
        self, steps: int, eager: bool = False, attention: str = "sdpa", **settings: Any
    ) -> list[float]:
        """Return the loss of each step."""
        self.run.model.lm.get_base_model().set_attn_implementation(attention)
        with self.trainer(eager, steps=steps, **settings) as trainer:
            trainer.args.logging_steps = trainer.state.logging_steps = 1
            trainer.train()
            return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]

    def profile(self, batch: int) -> str:
        """Return where the time of three steps goes, kernel by kernel."""
        from torch.profiler import ProfilerActivity, profile

        activities = [ProfilerActivity.CPU]
        if self.device.type == "cuda":
            activities.append(ProfilerActivity.CUDA)
        with self.trainer(batch_size=batch, steps=12) as trainer:
            step, steps = trainer.training_step, []
            profiler = profile(activities=activities)

            def counted(*args: Any, **kwargs: Any) -> Any:
                steps.append(time.perf_counter())
                if len(steps) == 10:
                    profiler.start()
                return step(*args, **kwargs)

            trainer.training_step = counted
            trainer.train()
            if self.device.type == "cuda":
                torch.cuda.synchronize()
            profiler.stop()
        by = "self_cuda_time_total" if self.device.type == "cuda" else "self_cpu_time_total"
        averages = profiler.key_averages()
        return str(averages.table(sort_by=by, row_limit=45, max_name_column_width=90))


def curves(bench: Bench, steps: int) -> dict[str, Any]:
    """Compare losses with those of eager steps, and these, which sum in other orders, in pairs."""
    losses = {
        name: bench.curve(steps, True, sums, batch_size=batch, gradient_accumulation=accumulation)
        for name, (batch, accumulation, sums) in ORDERS.items()
    }
    eager = list(losses)
    losses["packed"] = bench.curve(steps, batch_size=16)

    def apart(one: str, other: str) -> dict[str, Any]:
        gaps = np.abs(np.subtract(losses[one], losses[other]))
        return {"of": one, "from": other, "mean": float(gaps.mean()), "largest": float(gaps.max())}

    pairs = [apart(one, other) for one, other in combinations(eager, 2)]
    return {
        "curves": losses,
        "eager_apart": pairs,
        "packed_apart": [apart("packed", name) for name in eager],
    }


def whole(bench: Bench) -> dict[str, Any]:
    """Train as the plan's `large`: dev every 50 steps, checkpoints, the best one loaded."""
    settings = {"batch_size": 16, "epochs": 5, "steps": None, "eval_steps": 50, "warmup_steps": 100}
    bench.run.settings = replace(bench.settings, **settings)
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        trainer = bench.run.trainer(Path(folder))
        taken = seconds(trainer.train)
    log = trainer.state.log_history
    evaluated = sum(entry.get("evaluation_s", 0.0) for entry in log)
    return {"clips": bench.options.clips, "steps": bench.run.steps, "seconds": taken,
            "evaluation_s": evaluated, "share_of_evaluation": evaluated / taken}  # fmt: skip


def measure(options: argparse.Namespace, folder: Path, write: Any) -> None:
    began = time.perf_counter()
    bench = Bench(options, folder)
    write("about", {
        "device": torch.cuda.get_device_name() if bench.device.type == "cuda" else "CPU",
        "torch": torch.__version__, "dropout": options.dropout, "rank": options.rank,
        "set_up_s": time.perf_counter() - began,
    })  # fmt: skip
    if options.curve:
        write("curves", curves(bench, options.steps))
    elif options.profile:
        for batch in options.batches:
            table = bench.profile(batch)
            print(table, flush=True)
            write(f"profile {batch}", table)
    elif options.whole:
        write("whole", whole(bench))
    else:
        for batch in options.batches:
            write(f"batch {batch}", bench.clips_s(batch, 1, options.steps))
        write("evaluation", bench.evaluation())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--random-7b", action="store_true", help="Qwen2-Audio-7B's shape")
    which.add_argument("--small", action="store_true", help="a few thousand weights")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--curve", action="store_true", help="losses, eager and packed")
    what.add_argument("--profile", action="store_true", help="kernels of three steps")
    what.add_argument("--whole", action="store_true", help="5 epochs, with evaluations")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--clips", type=int, default=512)
    parser.add_argument("--dev", type=int, default=1000)
    parser.add_argument("--out", type=Path, help="write figures here as they come, as JSON")
    options = parser.parse_args()
    report: dict[str, Any] = {}

    def write(name: str, figures: Any) -> None:
        report[name] = figures
        if not isinstance(figures, str):
            print(name, json.dumps(figures), flush=True)
        if options.out:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps(report, indent=1) + "\n")

    with tempfile.TemporaryDirectory() as folder:
        measure(options, Path(folder), write)


if __name__ == "__main__":
    main()
