"""Speed of a language model as a detector, the stock way and ours: same weights, same clips.

The stock way is what the requirements' script does: the processor pads each clip to 30 s, and
``generate`` answers one clip at a time; beside it, the stock forward on batches. Features are
computed within the clock on both sides. vLLM stands beside them where it is installed. The floor of
one clip at a time is the time to read all weights but the embeddings once, at the bandwidth that a
copy reaches on this device.

    python benchmarks/qwen_speed.py --model FOLDER             # any checkpoint, a nano on a CPU
    python benchmarks/qwen_speed.py --random-7b                # the real shape, on a GPU
    python benchmarks/qwen_speed.py --random-omni              # Qwen3-Omni's thinker
    python benchmarks/qwen_speed.py --check                    # exactness, on this device
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import random_qwen
import vllm_qwen
from compiled_qwen import time_compiled, without_graphs
from exactness import check
from stock_qwen import STOCK, StockQwen2Audio
from timing import Clips, bytes_read, copy_bandwidth, make_clips, milliseconds, rate, seconds

from backends.qwen.detector import AnswerDetector, Qwen2Audio, Qwen3Omni
from backends.qwen.loading import choose_device, load_model, weight_bytes
from speechdt.detectors.stages import recording, synchronize

TARGETS = {
    "cuda": {
        "stock generate / ours, p50 at batch 1": (">=", 5.0),
        "ours p50 / floor": ("<=", 2.2),
        "ours clips/s / stock one by one": (">=", 25.0),
        "ours clips/s / stock batched": (">=", 4.0),
        "peak memory at batch 64 / weights": ("<=", 1.15),
    },
    "cpu": {
        "ours clips/s / stock one by one": (">=", 10.0),
        "ours clips/s / stock batched": (">=", 3.0),
    },
}
"""What Qwen2-Audio is to reach, 200 ms clips: the real shape on an H100, a nano on two cores."""


# --- the stock way --------------------------------------------------------------------------------


def time_stock(stock: StockQwen2Audio, prompt: str, clips: Clips, quick: bool) -> dict[str, Any]:
    for clip in clips[:3]:
        stock.generate(clip, prompt)
    count = 8 if quick else 40
    single = [seconds(partial(stock.generate, clip, prompt)) for clip in clips[:count]]
    features = [seconds(partial(stock.inputs, [clip], prompt)) for clip in clips[:count]]
    batched = {}
    for size in (8, 32) if quick else (8, 32, 64):
        work = partial(stock.log_odds, clips[:size], prompt)
        batched[size] = rate(work, size, 1 if quick else 4)
        print(f"  stock forward, batch {size}: {batched[size]:.1f} clips/s", flush=True)
    best = max(batched, key=lambda size: batched[size])
    return {
        "generate": milliseconds(single),
        "features_p50_ms": milliseconds(features)["p50_ms"],
        "one_by_one_clips_s": 1 / float(np.mean(single)),
        "batched_clips_s": batched,
        "best_batch": best,
        "best_clips_s": batched[best],
    }


# --- ours -----------------------------------------------------------------------------------------


def time_ours(detector: AnswerDetector, clips: Clips, quick: bool) -> dict[str, Any]:
    first = [seconds(partial(detector.score, clips[:1])) for _ in range(3)]
    for clip in clips[:10]:
        detector.score([clip])
    count = 50 if quick else 300
    single = [seconds(lambda i=i: detector.score([clips[i % len(clips)]])) for i in range(count)]
    batched = {}
    for size in (16, 64) if quick else (8, 16, 32, 64, 128, 1024):
        batch = (clips * -(-size // len(clips)))[:size]
        batched[size] = rate(partial(detector.score, batch), size, 0.5 if quick else 3)
    best = max(batched, key=lambda size: batched[size])
    return {
        "first_three_calls_ms": [time * 1000 for time in first],
        "single": milliseconds(single),
        "stages_p50_ms": stage_times(detector, clips[: 10 if quick else 100]),
        "batched_clips_s": batched,
        "best_batch": best,
        "best_clips_s": batched[best],
    }


def stage_times(detector: AnswerDetector, clips: Clips) -> dict[str, float]:
    """Return the median of each stage of one clip, in ms."""
    taken = []
    with recording() as clock:
        for clip in clips:
            detector.score([clip])
            synchronize()
            taken.append(clock.take())
    return {name: float(np.median([t[name] for t in taken]) * 1000) for name in taken[0]}


def time_prompts(detector: AnswerDetector, clips: Clips) -> dict[str, float]:
    """Compare many prompts about the same clips with one prompt at a time."""
    prompts = [detector.prompt.replace("Choose", f"Choose {i}") for i in range(8)]
    together = rate(lambda: detector.score_prompts(clips, prompts), len(clips) * 8, 1)
    apart = rate(lambda: [detector.score_prompts(clips, [p]) for p in prompts], len(clips) * 8, 1)
    return {"answers_s": together, "one_prompt_at_a_time_answers_s": apart}


def peak_memory(detector: AnswerDetector, clips: Clips) -> dict[str, float] | None:
    """Return the most memory allocated while 64 clips are scored, against the weights alone."""
    if detector.engine.device.type != "cuda":
        return None
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    detector.score((clips * 64)[:64])
    weights = weight_bytes(detector.lm)
    peak = torch.cuda.max_memory_allocated()
    return {"weights_gb": weights / 1e9, "peak_gb": peak / 1e9, "ratio": peak / weights}


# --- all of it ------------------------------------------------------------------------------------


def opened(options: argparse.Namespace, folder: Path) -> tuple[AnswerDetector, dict[str, Any]]:
    """Build the detector, on a checkpoint or on random weights made in memory."""
    device = choose_device(options.device)
    kind = Qwen3Omni if options.random_omni or options.architecture == "qwen3_omni" else Qwen2Audio
    start = time.perf_counter()
    if options.model:
        cls = random_qwen.ARCHITECTURES[kind.architecture][0]
        lm = load_model(cls.__name__, options.model, None, device)
    else:
        dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
        lm = random_qwen.build(kind.architecture, folder, device.type, dtype)
    made = time.perf_counter()
    detector = kind.around(lm, options.model or str(folder))
    ready = time.perf_counter()
    question = detector._question(detector.prompt)
    return detector, {
        "model": options.model or "random weights of the real shape",
        "weights_s": made - start,
        "set_up_s": ready - made,
        "tokens_before_and_after_the_audio": [len(question.before), len(question.after)],
    }


def agreement(
    detector: AnswerDetector, stock: StockQwen2Audio | None, clips: Clips
) -> dict[str, float]:
    """Return the largest differences in log-odds: to the stock model, alone, without graphs."""
    batch = detector.log_odds(clips, both=False)[0, 0]
    alone = np.array([detector.log_odds([clip], both=False).item() for clip in clips])
    with without_graphs(detector):
        eager = np.array([detector.log_odds([clip], both=False).item() for clip in clips])
    differences = {
        "spread_of_log_odds": float(np.ptp(batch)),
        "batch_and_alone": float(np.abs(batch - alone).max()),
        "graph_and_eager": float(np.abs(alone - eager).max()),
    }
    if stock is not None:
        differences["stock_and_ours"] = float(
            np.abs(stock.log_odds(clips, detector.prompt) - batch).max()
        )
    return differences


def ratios(report: dict[str, Any]) -> dict[str, float]:
    ours, stock, memory = report["ours"], report.get("stock"), report["memory_at_batch_64"]
    figures = {"ours p50 / floor": ours["single"]["p50_ms"] / report["floor"]["ms"]}
    if memory:
        figures["peak memory at batch 64 / weights"] = memory["ratio"]
    if stock:
        p50 = stock["generate"]["p50_ms"]
        figures["stock generate / ours, p50 at batch 1"] = p50 / ours["single"]["p50_ms"]
        best = ours["best_clips_s"]
        figures["ours clips/s / stock one by one"] = best / stock["one_by_one_clips_s"]
        figures["ours clips/s / stock batched"] = best / stock["best_clips_s"]
    return figures


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    detector, about = opened(options, folder)
    device = detector.engine.device
    clips = make_clips(64, options.ms)
    stock = None
    if not options.no_stock:
        recipe = STOCK[detector.architecture]
        stock = recipe(detector.lm, options.model or folder, detector.answers.ids)
    bandwidth = copy_bandwidth(device)
    read = bytes_read(detector.lm)
    report = {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else platform.processor(),
        "device_type": device.type,
        "architecture": detector.architecture,
        "threads": torch.get_num_threads(),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "clip_ms": options.ms,
        **about,
        "floor": {
            "bytes": read,
            "copy_gb_s": bandwidth / 1e9,
            "ms": read / bandwidth * 1000,
        },
        "memory_at_batch_64": peak_memory(detector, clips),
        "agreement": agreement(detector, stock, clips[:8]),
        "ours": time_ours(detector, clips, options.quick),
        "prompts": time_prompts(detector, clips[: 8 if options.quick else 64]),
    }
    for other in (300, 500, 1000):
        longer = make_clips(16, other)
        report["ours"][f"single_{other}_ms"] = milliseconds(
            [seconds(partial(detector.score, [clip])) for clip in longer * 3][16:]
        )
    if stock is not None:
        report["stock"] = time_stock(stock, detector.prompt, clips, options.quick)
    if options.compile:
        report["compiled"] = time_compiled(detector, clips)
    report["vllm"] = vllm_qwen.measured(options.model, detector.prompt, options.ms)
    report["ratios"] = ratios(report)
    return report


def show(report: dict[str, Any]) -> None:
    print(json.dumps(report, indent=1))
    floor, single = report["floor"]["ms"], report["ours"]["single"]["p50_ms"]
    print(f"floor {floor:.2f} ms, ours {single:.2f} ms, gap {single - floor:.2f} ms")
    targets = TARGETS[report["device_type"]] if report["architecture"] == "qwen2_audio" else {}
    for name, ratio in report["ratios"].items():
        verdict = ""
        if name in targets:
            sign, target = targets[name]
            met = ratio >= target if sign == ">=" else ratio <= target
            verdict = f"  (target {sign} {target}: {'met' if met else 'MISSED'})"
        print(f"{name:42s} {ratio:8.2f}{verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", help="folder or hub id")
    which.add_argument("--random-7b", action="store_true", help="Qwen2-Audio-7B's shape")
    which.add_argument("--check", action="store_true", help="exactness, on small models")
    which.add_argument("--random-omni", action="store_true", help="the Qwen3-Omni thinker's shape")
    parser.add_argument("--architecture", choices=random_qwen.ARCHITECTURES, default="qwen2_audio")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--ms", type=int, default=200, help="length of the clips")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--no-stock", action="store_true", help="ours alone")
    parser.add_argument("--compile", action="store_true", help="time torch.compile as well")
    parser.add_argument("--out", type=Path, help="write the report here, as JSON")
    options = parser.parse_args()
    warnings.filterwarnings("default", message="no CUDA graph")
    if options.check:
        report = check(choose_device(options.device))
        print(json.dumps(report, indent=1))
    else:
        with tempfile.TemporaryDirectory() as folder:
            report = measure(options, Path(folder))
        show(report)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
