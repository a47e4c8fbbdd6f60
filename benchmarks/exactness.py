"""Distance of scoring from the stock models, in float32, on this device: small random ones.

python benchmarks/qwen_speed.py --check
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import random_qwen
import torch
from stock_qwen import STOCK
from timing import make_clips

from backends.qwen.detector import AnswerDetector, Qwen2Audio, Qwen3Omni


def check(device: torch.device) -> dict[str, Any]:
    """Return the largest differences to the stock model in float32, small models on this device.

    Clips of 40 ms to 5 s, in one batch and alone; alone three times, so that on a GPU the last
    answer is a CUDA graph's.
    """
    # cuDNN's convolutions round to tf32 otherwise, on both sides but not alike.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    report: dict[str, Any] = {}
    for kind in (Qwen2Audio, Qwen3Omni):
        try:
            report[kind.architecture] = differences(kind, device)
        except RuntimeError as error:  # a kernel that this device or type lacks
            report[kind.architecture] = str(error).splitlines()[0]
    return report


def differences(kind: type[AnswerDetector], device: torch.device) -> dict[str, float]:
    lengths = (40, 200, 300, 500, 1000, 5000)
    clips = [make_clips(1, ms, seed)[0] for seed, ms in enumerate(lengths)]
    name = kind.architecture
    with tempfile.TemporaryDirectory() as folder:
        changes = random_qwen.SMALL[name]
        lm = random_qwen.build(name, Path(folder), device.type, torch.float32, **changes)
        detector = kind.around(random_qwen.enlivened(lm), folder)
        stock = STOCK[name](lm, folder, detector.answers.ids)
        # A second clip keeps the stock Qwen2-Audio off its legacy path for one audio token.
        other = [] if name == "qwen3_omni" else [clips[4]]
        theirs = [stock.log_odds([clip, *other], detector.prompt)[0] for clip in clips]
        for _ in range(3):
            alone = [detector.log_odds([clip], both=False).item() for clip in clips]
        together = detector.log_odds(clips, both=False)[0, 0]
    return {
        "spread_of_log_odds": float(np.ptp(theirs)),
        "alone": float(np.abs(np.subtract(theirs, alone)).max()),
        "together": float(np.abs(theirs - together).max()),
        "graphs": len(detector.engine.graphs),
    }
