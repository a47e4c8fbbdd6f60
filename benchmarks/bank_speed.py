"""Pairs of a question and a clip a second: the bank, and a whole search with its control.

The bank is workflow_config.yaml's, each prompt in both orders of its options, about clips of the
plan's durations, as the rules ask it: answers are saved as they come, clips are decoded within the
clock. Beside pairs stands what the card does: tokens of questions a second, and what share of the
rate of a large matrix product the language model's layers reach with them. The stand-in tokenizer
of random weights cuts most prompts into about three times as many tokens as Qwen's own; a
checkpoint's folder (--model) has its own.

    python benchmarks/bank_speed.py --random-7b              # on a GPU
    python benchmarks/bank_speed.py --model FOLDER           # a nano on a CPU
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from qwen_speed import make_clips, opened, seconds

from backends.qwen.detector import AnswerDetector
from speechdt.audio.io import flac_bytes
from speechdt.prompts.answer_options import swap_options
from speechdt.prompts.answer_store import PromptStore
from speechdt.prompts.asking import PromptTrials
from speechdt.prompts.bank import ask_bank
from speechdt.prompts.bank_entries import text_of
from speechdt.prompts.judge import Judge
from speechdt.prompts.opro import search
from speechdt.prompts.proposers.template import TemplateProposer
from speechdt.prompts.race import blocks
from speechdt.prompts.settings import Budget
from speechdt.trials.cells import SCHEMA, write_cell

ROOT = Path(__file__).resolve().parents[1]
DURATIONS = (200, 300, 500, 1000)
SNRS = (-5, 0, 5, 10, 20)
SIDE = 8192
"""Of the matrices whose product says what the card can do."""


def write_dev(folder: Path, count: int) -> list[Path]:
    """Write cells of dev: random clips; each item stands in every cell, two of them in a group."""
    folder.mkdir(parents=True)
    each = count // (len(DURATIONS) * len(SNRS))
    files = []
    for seed, (snr, ms) in enumerate((snr, ms) for snr in SNRS for ms in DURATIONS):
        rows = [
            dict.fromkeys(SCHEMA.names, "x")
            | dict.fromkeys(("snr_db", "snr_speech_db", "snr_active_db"), float(snr))
            | {"trial_id": f"{snr}-{ms}-{i}", "item_id": f"{i}", "group_id": f"{i // 4}-{i % 2}",
               "duration_ms": ms, "label": ("SPEECH", "NONSPEECH")[i % 2],
               "audio": {"bytes": flac_bytes(clip), "path": None}}
            for i, clip in enumerate(make_clips(each, ms, seed))
        ]  # fmt: skip
        files.append(folder / f"snr{snr}_dur{ms}.parquet")
        write_cell(files[-1], rows)
    return files


def matrix_rate() -> float:
    """Return the operations a second of a large product."""
    a, b = (torch.randn(SIDE, SIDE, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    a @ b
    return 2 * SIDE**3 / min(seconds(lambda: a @ b) for _ in range(10))


def layer_weights(detector: AnswerDetector) -> int:
    """Return how many weights each token is multiplied with."""
    return sum(w.numel() for layer in detector.engine.decoder.stock.layers
               for w in layer.parameters())  # fmt: skip


def asked_bank(detector: AnswerDetector, cells: list[Path], store: PromptStore) -> dict[str, Any]:
    """Ask the bank as the rule does; tokens are those of all questions, whoever shares them."""
    prompts = yaml.safe_load((ROOT / "workflow_config.yaml").read_text())["prompts"]
    trials = PromptTrials(cells, lambda: detector, store)
    taken = seconds(lambda: ask_bank(trials.ask_all, prompts, both=True))
    texts = [text_of(entry) for entry in prompts.values()]
    asked = [*texts, *(swap_options(text) for text in texts)]
    lengths = [len(detector._question(text).after) for text in asked]
    clips = len(trials.table)
    figures = {
        "pairs": trials.ask.asked,
        "seconds": taken,
        "pairs_s": trials.ask.asked / taken,
        "tokens_of_questions": [min(lengths), int(np.median(lengths)), max(lengths)],
        "tokens_s": sum(lengths) * clips / taken,
    }
    if detector.engine.device.type == "cuda":
        rate = matrix_rate()
        done = 2 * layer_weights(detector) * figures["tokens_s"]
        figures |= {"matrix_tflops": rate / 1e12, "share_of_it": done / rate}
    return figures


def whole_search(
    detector: AnswerDetector, cells: list[Path], store: PromptStore, steps: int
) -> dict[str, Any]:
    """Search with so many candidates at each of so many steps, and its control."""
    before = detector.tower_passes
    began = time.perf_counter()
    trials = PromptTrials(cells, lambda: detector, store, 4.0)
    table = trials.table
    columns = (table["label"] == "SPEECH").to_numpy(), table["item_id"], table["group_id"]
    outcome = search(
        ask=trials.ask, judge=Judge(*columns, "log_loss", 1000, 0), blocks=blocks(*columns, 0),
        baseline=detector.prompt, start={"baseline": detector.prompt},
        proposer=TemplateProposer(), budget=Budget(steps, steps, 1), seed=0,
    )  # fmt: skip
    taken = time.perf_counter() - began
    return {
        "candidates": len(outcome["candidates"]), "pairs": trials.ask.asked, "seconds": taken,
        "pairs_s": trials.ask.asked / taken, "clips": len(table),
        "tower_passes": detector.tower_passes - before,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", help="folder or hub id")
    which.add_argument("--random-7b", action="store_true", help="Qwen2-Audio-7B's shape")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--clips", type=int, default=2000, help="of dev")
    parser.add_argument("--search-alone", action="store_true", help="without the bank")
    parser.add_argument("--steps", type=int, default=10, help="and candidates at each")
    parser.add_argument("--out", type=Path, help="write figures here as they come, as JSON")
    options = parser.parse_args()
    options.random_omni, options.architecture = False, "qwen2_audio"
    report: dict[str, Any] = {}

    def write(name: str, figures: Any) -> None:
        report[name] = figures
        print(name, json.dumps(figures), flush=True)
        if options.out:
            options.out.write_text(json.dumps(report, indent=1) + "\n")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        detector, about = opened(options, folder / "model")
        write("about", about)
        detector.score(make_clips(64, 200))
        cells = write_dev(folder / "dev", options.clips)
        if not options.search_alone:
            write("bank", asked_bank(detector, cells, PromptStore(folder / "bank.sqlite")))
        figures = whole_search(
            detector, cells, PromptStore(folder / "search.sqlite"), options.steps
        )
        write("search", figures)


if __name__ == "__main__":
    main()
