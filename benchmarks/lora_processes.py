"""LoRA fine-tuning in several processes: the same loss curve as in one, and how it scales.

The curve is that of a small random model in float32, half the batch in each of two processes. The
speed is transformers' Trainer around ours, features beforehand, so many clips a GPU at a time.

    python benchmarks/lora_processes.py --random-7b --processes 2      # GPUs, NCCL
    python benchmarks/lora_processes.py --small --processes 2          # cores, gloo
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import random_qwen
from lora_speed import Setup, time_trainer
from timing import make_clips

from backends.qwen.finetuning.answer_model import AnswerModel
from backends.qwen.finetuning.examples import Draws
from backends.qwen.finetuning.processes import Processes
from backends.qwen.finetuning.settings import FineTuning
from backends.qwen.finetuning.trainer import AnswerTrainer
from backends.qwen.loading import choose_device
from speechdt.workflow.torchrun import launch, run

CLOSE = 1e-4


def curve(folder: Path, processes: Processes, device: torch.device) -> list[float]:
    """Return the losses of twelve steps of a small float32 model."""
    changes = random_qwen.SMALL["qwen2_audio"]
    lm = random_qwen.build("qwen2_audio", folder, str(device), torch.float32, **changes)
    AnswerModel.precision = lambda self: nullcontext()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    settings = FineTuning(
        model=str(folder), dropout=0.0, steps=12, batch_size=16, gradient_accumulation=1,
        learning_rate=1e-2, eval_steps=4, processes=processes.count,
    )  # fmt: skip
    setup = Setup(random_qwen.enlivened(lm), str(folder), settings, make_clips(64, 200))
    clips = [setup.example(i) for i in range(64)]
    trainer = AnswerTrainer(
        setup.model, Draws(clips, 12 * 16, 1, None, 0), clips[:32], setup.collate, setup.collate,
        settings, 12, folder.with_suffix(".checkpoints"), processes=processes,
        packed=setup.packed,
    )  # fmt: skip
    trainer.train()
    return [
        entry[name]
        for entry in trainer.state.log_history
        for name in ("loss", "eval_log_loss")
        if name in entry
    ]


def speed(
    folder: Path, processes: Processes, device: torch.device, batch: int, small: bool
) -> dict[str, Any]:
    """Return the Trainer's throughput with `batch` clips a process at a time."""
    on_cpu = device.type == "cpu"
    changes = random_qwen.SMALL["qwen2_audio"] if small else {}
    dtype = torch.float32 if on_cpu else torch.bfloat16
    lm = random_qwen.build("qwen2_audio", folder, str(device), dtype, **changes)
    settings = FineTuning(model=str(folder), rank=16, processes=processes.count)
    setup = Setup(lm, str(folder), settings, make_clips(256, 200))
    figures = time_trainer(setup, batch * processes.count, 30, processes)
    if not on_cpu:
        figures["peak_gb"] = torch.cuda.max_memory_allocated() / 1e9
    return figures


def main(part: str, processes: int, device: str, out: str, batch: int, small: bool) -> None:
    """Do one part in this process, one of several."""
    here = Processes.join(processes, device)
    chosen = choose_device(device)
    torch.set_num_threads(1)  # as torchrun does for several, on a CPU
    own = Path(out).with_suffix(f".process{here.number}")
    figures: Any = (
        curve(own, here, chosen) if part == "curve" else speed(own, here, chosen, batch, small)
    )
    if here.is_first:
        Path(out).write_text(json.dumps(figures))
    here.leave()


def part_of(folder: str, part: str, processes: int, options: argparse.Namespace) -> Any:
    out = Path(folder) / f"{part}{processes}.json"
    settings = {"device": options.device, "batch": options.batch, "small": options.small}
    launch(__file__, {"part": part, "processes": processes, "out": str(out)} | settings, processes)
    return json.loads(out.read_text())


def parse_and_measure() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--random-7b", action="store_true", help="Qwen2-Audio-7B's shape")
    which.add_argument("--small", action="store_true", help="a few thousand weights")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64, help="clips a process at a time")
    parser.add_argument("--out", type=Path, help="write the report here, as JSON")
    options = parser.parse_args()
    counts = (1, options.processes)
    with tempfile.TemporaryDirectory() as folder:
        curves = {n: part_of(folder, "curve", n, options) for n in counts}
        speeds = {n: part_of(folder, "speed", n, options) for n in counts}
    one, several = (torch.tensor(curves[n]) for n in counts)
    report = {
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
        "model": "small random" if options.small else "random weights of the real shape",
        "curves": curves,
        "largest_difference": (one - several).abs().max().item(),
        "speeds": speeds,
        "scaling": speeds[counts[1]]["clips_s"] / speeds[1]["clips_s"],
    }
    print(json.dumps(report, indent=1))
    same = "same" if report["largest_difference"] < CLOSE else "ANOTHER"
    print(f"{same} loss curve: largest difference {report['largest_difference']:.1e}")
    print(f"{counts[1]} processes against one: {report['scaling']:.2f} times the clips/s")
    if options.out:
        options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__" and len(sys.argv) == 2 and sys.argv[1].endswith(".json"):
    run(main, sys.argv[1])  # one of several processes
elif __name__ == "__main__":
    parse_and_measure()
