"""Random checkpoints of both architectures, small, with and without an adapter."""

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from random_qwen import (
    ARCHITECTURES,
    OMNI_TEMPLATE,
    OMNI_TOKENS,
    README,
    SMALL,
    build,
    enlivened,
    settings,
    tokenizer,
)
from stock_qwen import STOCK

__all__ = [
    "ARCHITECTURES",
    "OMNI_TEMPLATE",
    "OMNI_TOKENS",
    "README",
    "SMALL",
    "STOCK",
    "enlivened",
    "settings",
    "tokenizer",
]

BASELINE = """\
Choose one:
A) SPEECH (human voice)
B) NONSPEECH (music/noise/silence/animals)

Answer with A or B ONLY."""


def save(architecture: str, folder: Path, seed: int = 0, **text_config: int) -> Path:
    """Save a random checkpoint of the stock class, small, with what a processor needs."""
    changes = SMALL[architecture]
    changes = changes | {"text_config": changes["text_config"] | text_config}
    model = build(architecture, folder, "cpu", torch.float32, **changes)
    enlivened(model, seed).save_pretrained(folder)
    return folder


def save_adapter(
    folder: Path, base: Path, cls: type, targets: str | list[str], seed: int = 1
) -> Path:
    """Save a LoRA adapter with random weights, others for another seed."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    model = cls.from_pretrained(base, dtype=torch.float32)
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=16, target_modules=targets))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 0.1)
    adapted.save_pretrained(folder)
    return folder


def by_expert(name: str, weight: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return a weight of all experts as published, one matrix each; any other as it is."""
    stem, _, last = name.rpartition(".")
    if last == "gate_up_proj":
        halves = {"gate_proj": weight.chunk(2, dim=1)[0], "up_proj": weight.chunk(2, dim=1)[1]}
    elif last == "down_proj":
        halves = {"down_proj": weight}
    else:
        return {name: weight}
    return {
        f"{stem}.{i}.{part}.weight": matrix.clone()
        for part, matrices in halves.items()
        for i, matrix in enumerate(matrices)
    }


def clip(milliseconds: float, seed: int = 0) -> np.ndarray:
    """Return noise with a tone that starts in its middle."""
    samples = round(16 * milliseconds)
    rng = np.random.default_rng([seed, samples])
    time = np.arange(samples)
    tone = np.sin(time * rng.uniform(0.05, 0.5)) * (time > samples / 2)
    return (0.05 * rng.normal(size=samples) + 0.4 * tone).astype(np.float32)
