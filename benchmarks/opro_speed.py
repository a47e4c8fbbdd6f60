"""Prompts about clips a second: the plan's loop, and our search.

The loop that the plan sketches (docs/plan.md) asks every prompt about every clip by itself: the
processor pads the clip to 30 s, the tower encodes it again, and ``generate`` answers. Ours encodes
each clip once, keeps it, and asks in batches. Same weights, same prompts, same clips, one run;
features and towers are within the clock on both sides, and so is the first pass that fills our
memory. A whole search's worth of prompts about more clips follows, ours alone: the loop would take
hours.

    python benchmarks/opro_speed.py --model FOLDER       # a nano on a CPU
    python benchmarks/opro_speed.py --random-7b          # the real shape, on a GPU: 3 minutes
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from qwen_speed import agreement, opened
from stock_qwen import STOCK, StockQwen2Audio
from timing import Clips, make_clips, seconds

from backends.qwen.detector import AnswerDetector
from backends.qwen.question import BASELINE_PROMPT

GIB = 8.0
"""Memory for encoded clips."""
STEP = 8
"""Prompts that are asked in one call, as a step of a search does."""
TARGETS = {
    "cuda": {"ours / the plan's loop": 30.0, "ours, pairs/s": 600.0},
    "cpu": {"ours / the plan's loop": 10.0},
}
"""What is to be reached with 200 ms clips: the real shape on an H100, a nano on two cores."""


def reordered(prompt: str, count: int) -> list[str]:
    """Return a prompt's words in other orders: other prompts of the same length in tokens.

    The stand-in tokenizer of random weights knows the words of the baseline prompt alone as Qwen's
    own does, and would cut others into three times as many tokens.
    """
    rng, words = np.random.default_rng(0), prompt.split(" ")
    return [prompt, *(" ".join(rng.permutation(words)) for _ in range(count - 1))]


def loop(stock: StockQwen2Audio, clips: Clips, prompts: list[str]) -> None:
    """Ask as the plan does."""
    for prompt in prompts:
        for clip in clips:
            stock.generate(clip, prompt)


def ask(detector: AnswerDetector, clips: Clips, prompts: list[str]) -> None:
    """Ask as a search does: some prompts at a time about clips that are kept."""
    for start in range(0, len(prompts), STEP):
        detector.score_prompts(clips, prompts[start : start + STEP])


def time_ours(
    detector: AnswerDetector, clips: Clips, prompts: list[str], warm_up: Clips
) -> dict[str, Any]:
    """Return pairs/s, nothing of these clips being kept before."""
    detector.keep_audio(GIB)
    ask(detector, warm_up, prompts[:1])
    before = detector.tower_passes
    taken = seconds(lambda: ask(detector, clips, prompts))
    return {
        "prompts": len(prompts),
        "clips": len(clips),
        "seconds": taken,
        "pairs_s": len(prompts) * len(clips) / taken,
        "tower_passes": detector.tower_passes - before,
    }


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    detector, about = opened(options, folder)
    device = detector.engine.device
    stock = STOCK[detector.architecture](detector.lm, options.model or folder, detector.answers.ids)
    prompts = reordered(BASELINE_PROMPT, max(options.prompts, options.search_prompts))
    clips, warm_up = make_clips(options.clips, options.ms), make_clips(64, options.ms, seed=1)
    few = prompts[: options.prompts]
    tokens = [len(detector._question(prompt).after) for prompt in prompts]
    report = {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else platform.processor(),
        "device_type": device.type,
        "threads": torch.get_num_threads(),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "clip_ms": options.ms,
        **about,
        "tokens_after_the_audio": [min(tokens), max(tokens)],
        "agreement": agreement(detector, stock, clips[:8]),
        "ours": time_ours(detector, clips, few, warm_up),
    }
    loop(stock, warm_up[:3], few[:1])
    taken = seconds(lambda: loop(stock, clips, few))
    pairs = len(few) * len(clips)
    report["loop"] = {"seconds": taken, "pairs": pairs, "pairs_s": pairs / taken}
    more = make_clips(options.search_clips, options.ms, seed=2)
    whole = time_ours(detector, more, prompts[: options.search_prompts], warm_up)
    report["search"] = whole
    report["ratios"] = {
        "ours / the plan's loop": report["ours"]["pairs_s"] / report["loop"]["pairs_s"],
        "ours, pairs/s": max(whole["pairs_s"], report["ours"]["pairs_s"]),
    }
    report["kept_mib"] = detector.engine.kept.size / 2**20
    return report


def show(report: dict[str, Any]) -> None:
    print(json.dumps(report, indent=1))
    for name, target in TARGETS[report["device_type"]].items():
        reached = report["ratios"][name]
        verdict = "met" if reached >= target else "MISSED"
        print(f"{name:24s} {reached:8.1f}  (target >= {target:g}: {verdict})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", help="folder or hub id")
    which.add_argument("--random-7b", action="store_true", help="Qwen2-Audio-7B's shape")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--ms", type=int, default=200, help="length of the clips")
    parser.add_argument("--prompts", type=int, default=8, help="in both ways")
    parser.add_argument("--clips", type=int, default=96, help="in both ways")
    parser.add_argument("--search-prompts", type=int, default=48, help="ours alone")
    parser.add_argument("--search-clips", type=int, default=512, help="ours alone")
    parser.add_argument("--out", type=Path, help="write the report here, as JSON")
    options = parser.parse_args()
    options.random_omni, options.architecture = False, "qwen2_audio"
    with tempfile.TemporaryDirectory() as folder:
        report = measure(options, Path(folder))
    show(report)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
