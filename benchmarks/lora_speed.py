"""Speed of LoRA fine-tuning, the stock recipe and ours: same weights, clips and targets.

The stock recipe is that of the plan (docs/plan.md): the processor pads each clip to 30 s,
the head and the loss run over every position with all labels but the answer masked, batches of 4,
gradients accumulated: of 4 as in the plan, and of as many as make ours' largest batch. Ours runs
the tower on the clip's own frames and the head at the answer, a whole batch at once. Features are
computed within the clock on both sides; so is AdamW's step. The Trainer's
line is transformers' Trainer itself around ours, as `finetune` runs it, without evaluations.

    python benchmarks/lora_speed.py --model FOLDER             # any checkpoint, a nano on a CPU
    python benchmarks/lora_speed.py --random-7b                # the real shape, on a GPU
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import transformers

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import random_qwen
from stock_qwen import StockQwen2Audio
from timing import Clips, make_clips

from backends.qwen.detector import Qwen2Audio
from backends.qwen.finetuning.adaptation import adapted
from backends.qwen.finetuning.answer_model import AnswerModel
from backends.qwen.finetuning.collate import Collator
from backends.qwen.finetuning.examples import CLASSES, Draws, example
from backends.qwen.finetuning.processes import Processes
from backends.qwen.finetuning.settings import FineTuning
from backends.qwen.finetuning.steps import packed_model
from backends.qwen.finetuning.trainer import ALONE, AnswerTrainer
from backends.qwen.loading import choose_device, load_model, weight_bytes
from backends.qwen.mel import LogMel
from speechdt.detectors.stages import synchronize

STOCK_BATCH, STOCK_ACCUMULATION = 4, 4
TARGETS = {"clips_s": 130.0, "ratio": 5.0}
"""On one H100, 7B, 200 ms clips, at the largest batch; the ratio is at the same effective batch."""


class Setup:
    """A model with a fresh adapter, and what both recipes need.

    Parameters
    ----------
    lm : transformers.Qwen2AudioForConditionalGeneration
    folder : str
        Its processor.
    settings : FineTuning
    clips : list of arrays
        SPEECH and NONSPEECH in turns.
    """

    def __init__(self, lm: torch.nn.Module, folder: str, settings: FineTuning, clips: Clips):
        own = Qwen2Audio._architecture()
        chat, extractor = own.load_processor(folder, None, own.audio_token_id(lm.config))
        self.settings, self.clips, self.prompt = settings, clips, settings.prompts[0]
        self.answers = chat.answer_tokens().ids
        self.weights = weight_bytes(lm)
        self.peft = adapted(own, lm, settings)
        self.model = AnswerModel(own, self.peft, self.answers)
        self.device = self.model.device
        tokens = self.model.tower.tokens
        end = chat.tokenizer.convert_tokens_to_ids("<|im_end|>")
        self.collate = Collator(
            [chat.question(self.prompt)], self.answers, chat.audio_token_id, end, tokens, "answer"
        )
        self.mel = LogMel(extractor, torch.device("cpu"), own.TAIL, own.EDGE)
        self.packed = packed_model(own, self.model, settings)
        self.stock = StockQwen2Audio(self.peft.get_base_model(), folder, self.answers)

    def example(self, i: int) -> Any:
        return example(self.clips[i], CLASSES[i % 2], self.mel, self.model.tower.tokens)

    def ours(self, chosen: list[int]) -> torch.Tensor:
        """Return the loss of some clips, our way."""
        batch = self.collate([(self.example(i), 0) for i in chosen])
        placed = {k: v.to(self.device) if torch.is_tensor(v) else v for k, v in batch.items()}
        return self.model(**placed)["loss"]

    def theirs(self, chosen: list[int]) -> torch.Tensor:
        """Return the loss of some clips, the stock way."""
        inputs = self.stock.inputs([self.clips[i] for i in chosen], self.prompt)
        answers = torch.tensor([[self.answers[i % 2]] for i in chosen], device=self.device)
        inputs["input_ids"] = torch.cat([inputs["input_ids"], answers], dim=1)
        mask = inputs["attention_mask"]
        inputs["attention_mask"] = torch.cat([mask, torch.ones_like(answers)], dim=1)
        labels = torch.full_like(inputs["input_ids"], -100)
        labels[:, -1:] = answers
        return self.peft(**inputs, labels=labels).loss


def batches(count: int, size: int) -> Iterator[list[int]]:
    start = 0
    while True:
        yield [(start + i) % count for i in range(size)]
        start += size


def time_steps(
    setup: Setup, loss: Callable[[list[int]], torch.Tensor], batch: int, accumulation: int,
    at_least_s: float,
) -> dict[str, Any]:  # fmt: skip
    """Train for a while; return clips/s, losses and peak memory in GB."""
    on_gpu = setup.device.type == "cuda"
    trained = list(setup.model.trained.values())
    optimizer = torch.optim.AdamW(trained, lr=1e-5, fused=on_gpu)  # as the Trainer's own
    feed = batches(len(setup.clips), batch)

    def step() -> None:
        for _ in range(accumulation):
            with setup.model.precision():
                value = loss(next(feed)) / accumulation
            value.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    for _ in range(2):
        step()
    synchronize()
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < at_least_s or steps < 2:
        step()
        synchronize()
        steps += 1
    taken = time.perf_counter() - start
    figures = {
        "batch": batch,
        "accumulation": accumulation,
        "clips_s": steps * batch * accumulation / taken,
    }
    if on_gpu:
        figures["peak_gb"] = torch.cuda.max_memory_allocated() / 1e9
    print(f"  {figures}", flush=True)
    return figures


def time_trainer(
    setup: Setup, batch: int, steps: int, processes: Processes = ALONE
) -> dict[str, Any]:
    """Return the throughput of transformers' Trainer around ours, features beforehand."""
    from dataclasses import replace

    sizes = {"batch_size": batch, "gradient_accumulation": 1}
    settings = replace(setup.settings, **sizes, steps=steps, eval_steps=10 * steps)
    clips = [setup.example(i) for i in range(len(setup.clips))]
    with tempfile.TemporaryDirectory() as folder:
        trainer = AnswerTrainer(
            setup.model, Draws(clips, steps * batch, 1, None, 0), clips[:16],
            setup.collate, setup.collate, settings, steps, Path(folder), processes=processes,
            packed=setup.packed,
        )  # fmt: skip
        # Nothing is evaluated, so there is no best checkpoint to load.
        trainer.args.load_best_model_at_end = False
        trainer.train()
    rates = [entry["clips_per_s"] for entry in trainer.state.log_history if "clips_per_s" in entry]
    figures = {"batch": batch, "clips_s": rates[-1], "all_clips_s": rates}
    print(f"  the Trainer: {figures}", flush=True)
    return figures


def agreement(setup: Setup) -> dict[str, float]:
    """Return both recipes' loss of the same clips, before training."""
    setup.model.eval()
    with torch.no_grad(), setup.model.precision():
        losses = {
            "stock": setup.theirs([0, 1, 2, 3]).item(),
            "ours": setup.ours([0, 1, 2, 3]).item(),
        }
    setup.model.train()
    return losses


def measure(options: argparse.Namespace, folder: str) -> dict[str, Any]:
    device = choose_device(options.device)
    if options.model:
        folder = options.model
        lm = load_model("Qwen2AudioForConditionalGeneration", folder, None, device)
    else:
        dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
        lm = random_qwen.build("qwen2_audio", Path(folder), device.type, dtype)
    settings = FineTuning(
        model=folder, rank=options.rank, gradient_checkpointing=options.checkpointing
    )
    setup = Setup(lm, folder, settings, make_clips(256, options.ms))
    long_enough = 2.0 if options.quick else 8.0
    report: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else platform.processor(),
        "threads": torch.get_num_threads(),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "model": options.model or "random weights of the real shape",
        "clip_ms": options.ms,
        "rank": options.rank,
        "gradient_checkpointing": options.checkpointing,
        "weights_gb": setup.weights / 1e9,
        "trained_weights": sum(weight.numel() for weight in setup.model.trained.values()),
        "loss_before": agreement(setup),
    }
    print(json.dumps(report, indent=1), flush=True)
    largest = max(options.batches)
    planned = STOCK_BATCH * STOCK_ACCUMULATION
    print("stock:", flush=True)
    stock = {
        effective: time_steps(
            setup, setup.theirs, STOCK_BATCH, effective // STOCK_BATCH, long_enough
        )
        for effective in sorted({planned, largest})
    }
    print("ours:", flush=True)
    ours = {
        size: time_steps(setup, setup.ours, size, 1, long_enough)
        for size in sorted({planned, *options.batches})
    }
    report |= {"stock": list(stock.values()), "ours": list(ours.values())}
    report["trainer"] = time_trainer(setup, largest, 30 if not options.quick else 10)
    report["at"] = {
        effective: {
            "clips_s": ours[effective]["clips_s"],
            "ratio": ours[effective]["clips_s"] / baseline["clips_s"],
        }
        for effective, baseline in stock.items()
    }
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", help="folder or hub id of a Qwen2-Audio")
    which.add_argument("--random-7b", action="store_true", help="Qwen2-Audio-7B's shape")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--ms", type=int, default=200, help="length of the clips")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 32, 64])
    parser.add_argument("--checkpointing", action="store_true", help="gradient checkpointing")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--out", type=Path, help="write the report here, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(options, folder)
    real = options.random_7b and report["device"].startswith("NVIDIA H100")
    for effective, figures in report["at"].items():
        print(
            f"effective batch {effective}: ours {figures['clips_s']:.1f} clips/s, "
            f"{figures['ratio']:.2f} times stock"
        )
    if real:
        for name, target in TARGETS.items():
            met = figures[name] >= target
            print(f"  target at the largest: {name} >= {target}: {'met' if met else 'MISSED'}")
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
