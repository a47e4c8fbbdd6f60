"""Time and equality of adapters that take turns on one loaded checkpoint.

Random LoRA adapters (rank 16, all linear layers of the language model) are folded one after the
other into a checkpoint that is loaded once, and each into one that is loaded for it alone, as jobs
of their own do. What is printed: seconds of each, and the greatest difference in log-odds.

    python benchmarks/one_load.py --small          # on a CPU
    python benchmarks/one_load.py --random-7b      # the real shape, on a GPU
    python benchmarks/one_load.py --model FOLDER
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import random_qwen
import torch
from peft import LoraConfig, get_peft_model
from timing import make_clips

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from backends.qwen.detector import Qwen2Audio

TARGETS = r".*language_model\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
SIZE = 0.02
"""Of an adapter's random weights: enough to move answers."""


def make_model(folder: Path, small: bool, device: str) -> None:
    """Save random weights."""
    changes = random_qwen.SMALL["qwen2_audio"] if small else {}
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    model = random_qwen.build("qwen2_audio", folder, device, dtype, **changes)
    random_qwen.enlivened(model).save_pretrained(folder, max_shard_size="4GB")


def make_adapters(model: str, folder: Path, count: int, device: str) -> list[Path]:
    """Save adapters with random weights."""
    detector = Qwen2Audio(model=model, device=device)
    settings = LoraConfig(r=16, lora_alpha=32, target_modules=TARGETS)
    adapted = get_peft_model(detector.lm, settings)
    made = []
    for number in range(count):
        torch.manual_seed(number)
        with torch.no_grad():
            for name, weight in adapted.named_parameters():
                if "lora_" in name:
                    weight.normal_(0, SIZE)
        adapted.save_pretrained(folder / str(number))
        made.append(folder / str(number))
    return made


def taken(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that something takes, and what it returns."""
    began = time.perf_counter()
    value = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began, value


def in_turn(
    model: str, adapters: list[Path | None], clips: list[np.ndarray], device: str
) -> tuple[float, list[float], list[np.ndarray]]:
    """Return the seconds of the load and of each turn, and what each adapter answers."""
    load_s, shared = taken(lambda: Qwen2Audio(model=model, device=device))
    turns, answers = [], []
    for adapter in adapters:
        named = None if adapter is None else str(adapter)
        seconds, could = taken(lambda named=named: shared.become(adapter=named))
        if not could:
            raise SystemExit(f"{adapter} cannot take turns")
        turns.append(seconds)
        answers.append(shared.log_odds(clips, both=False)[0, 0])
    return load_s, turns, answers


def alone(
    model: str, adapter: Path | None, clips: list[np.ndarray], device: str
) -> tuple[float, np.ndarray]:
    """Return the seconds of a load with an adapter, and what it answers."""
    options = {} if adapter is None else {"adapter": str(adapter)}
    seconds, own = taken(lambda: Qwen2Audio(model=model, device=device, **options))
    return seconds, own.log_odds(clips, both=False)[0, 0]


def compare(
    model: str, adapters: list[Path], clips: list[np.ndarray], device: str
) -> dict[str, Any]:
    """Time both ways, and compare what is answered."""
    order = [*adapters, None, adapters[0]]
    load_s, turns, answers = in_turn(model, order, clips, device)
    loads, differences = [], []
    for adapter, odds in zip(order, answers, strict=True):
        gc.collect()
        torch.cuda.empty_cache()
        seconds, expected = alone(model, adapter, clips, device)
        loads.append(seconds)
        differences.append(float(np.abs(odds - expected).max()))
    return {
        "load_s": load_s,
        "turn_s": turns,
        "load_with_adapter_s": loads,
        "spread of log-odds": float(np.ptp(answers)),
        "greatest difference of log-odds": max(differences),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", help="folder of a checkpoint")
    which.add_argument("--random-7b", action="store_true", help="Qwen2-Audio-7B's shape")
    which.add_argument("--small", action="store_true", help="a few thousand weights")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--adapters", type=int, default=3)
    parser.add_argument("--clips", type=int, default=64)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        model = options.model or f"{scratch}/model"
        if not options.model:
            make_model(Path(model), options.small, options.device)
        adapters = make_adapters(model, Path(scratch), options.adapters, options.device)
        torch.cuda.empty_cache()
        lengths = (200, 300, 500, 1000)
        clips = [clip for ms in lengths for clip in make_clips(options.clips // 4, ms)]
        print(json.dumps(compare(model, adapters, clips, options.device), indent=2))


if __name__ == "__main__":
    main()
