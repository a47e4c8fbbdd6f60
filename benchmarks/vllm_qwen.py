"""vLLM on the same clips, where it is installed: one token, its log-odds, prefixes cached.

In a process of its own: vLLM takes most of a GPU's memory. It reads a checkpoint's folder, and so
has nothing to say of random weights that are made in memory.

    python benchmarks/vllm_qwen.py FOLDER "PROMPT" 200
"""

from __future__ import annotations

import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from own_process import measured_alone
from stock_qwen import RATE
from timing import make_clips, milliseconds
from transformers import AutoProcessor

MEMORY = 0.6
"""Share of a GPU's memory: ours holds its weights beside it."""
BATCH, SINGLE = 512, 50
LOGPROBS = 20


def measured(model: str | None, prompt: str, ms: int) -> dict[str, Any] | str:
    """Return clips/s and p50 of vLLM, or why there are none."""
    if find_spec("vllm") is None:
        return "not installed: pip install vllm"
    if model is None:
        return "not run: it reads a checkpoint's folder (--model)"
    try:
        return measured_alone(str(Path(__file__)), model, prompt, ms)
    except Exception as error:
        return f"failed: {error}"


def measure(model: str, prompt: str, ms: int) -> dict[str, Any]:
    """Time vLLM in this process."""
    from vllm import LLM, SamplingParams

    processor = AutoProcessor.from_pretrained(model)
    content = [{"type": "audio", "audio_url": "clip.wav"}, {"type": "text", "text": prompt}]
    text = processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
    )
    engine = LLM(
        model=model, enable_prefix_caching=True, gpu_memory_utilization=MEMORY,
        max_model_len=2048, limit_mm_per_prompt={"audio": 1},
    )  # fmt: skip
    asked = SamplingParams(max_tokens=1, temperature=0.0, logprobs=LOGPROBS)

    def seconds(seed: int, count: int) -> float:
        """Return what new clips take: none is in vLLM's cache."""
        requests = [
            {"prompt": text, "multi_modal_data": {"audio": (clip, RATE)}}
            for clip in make_clips(count, ms, seed)
        ]
        start = time.perf_counter()
        engine.generate(requests, asked, use_tqdm=False)
        return time.perf_counter() - start

    seconds(1, 64)
    single = [seconds(1000 + i, 1) for i in range(SINGLE)]
    taken = float(np.median([seconds(2 + i, BATCH) for i in range(3)]))
    return {"clips_s": BATCH / taken, "batch": BATCH, "single": milliseconds(single)}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
