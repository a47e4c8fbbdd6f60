"""Equality of a model behind a server with itself on every dev clip, one answer in ten failing.

The server of the tests puts a language model behind OpenAI's chat protocol and answers every tenth
request with HTTP 503; the detector `served` asks it about each clip of dev. What it says is
compared with the same model asked without a server, clip by clip, and no clip may be answered
twice.

    snakemake --cores 2 --resources gpu=1         # once: trials and nano models
    python benchmarks/served_equality.py --results results
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.audio_servers import KEY, Model, serving

from backends.qwen.detector import Qwen2Audio
from backends.served.detector import Served
from speechdt.audio.io import from_flac_bytes
from speechdt.trials.cells import read_cell

EQUAL = 1e-6
"""Largest difference of P(speech)."""
FAILING = 10
"""One request in so many is refused."""


def measure(cells: list[Path], nano: Qwen2Audio) -> dict[str, float]:
    """Ask about every clip of some cells, with a server and without."""
    model = Model(nano)
    apart, clips, start = 0.0, 0, time.perf_counter()
    os.environ["OPENAI_API_KEY"] = KEY
    with serving(model, lambda request: 503 if request % FAILING == 0 else None) as (server, url):
        served = Served(model="nano", prompt=nano.prompt, base_url=url)
        for cell in cells:
            waveforms = [from_flac_bytes(clip) for clip in read_cell(cell, ["audio"])["audio"]]
            alone = np.concatenate([nano.score([clip]) for clip in waveforms])
            apart = max(apart, float(np.abs(served.score(waveforms) - alone).max()))
            clips += len(waveforms)
        return {
            "clips": clips,
            "requests": server.requests,
            "answered_again": sum(model.answered.values()) - clips,
            "largest_difference": apart,
            "seconds": round(time.perf_counter() - start, 1),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results"), help="of a finished run")
    parser.add_argument("--model", type=Path, help="default: the run's nano model")
    options = parser.parse_args()
    cells = sorted((options.results / "trials" / "dev").glob("*_dur*.parquet"))
    if not cells:
        sys.exit(f"error: {options.results} has no clips of dev")
    torch.set_num_threads(1)
    model = options.model or options.results / "models" / "nano" / "qwen2_audio"
    figures = measure(cells, Qwen2Audio(model=str(model), device="cpu"))
    print(json.dumps(figures))
    sys.exit(figures["largest_difference"] > EQUAL or figures["answered_again"] > 0)


if __name__ == "__main__":
    main()
