"""Ask a language model with its options in both orders: prompts/order_bias/{variant}.json."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from speechdt import find_detectors
from speechdt.audio.io import from_flac_bytes
from speechdt.detectors.hearing import Hearing
from speechdt.prompts.order_bias import order_bias
from speechdt.prompts.winner import with_prompt
from speechdt.trials.cells import read_cell
from speechdt.workflow.jobs import logged


def log_odds(detector, cells):
    """Return log-odds (2, clips) and labels of all trials of the cells."""
    answers, labels = [], []
    for cell in tqdm(cells, desc="asking both orders", unit="cell"):
        trials = read_cell(cell, ["label", "audio"])
        clips = [from_flac_bytes(clip) for clip in trials["audio"]]
        answers.append(detector.log_odds(clips)[:, 0])
        labels.append(trials["label"])
    return np.concatenate(answers, axis=1), pd.concat(labels) == "SPEECH"


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        options = with_prompt(snakemake.params.options, snakemake.input.search)
        params = snakemake.params
        cls = find_detectors()[params.backend]
        detector = Hearing.of_run(
            params.backend, cls, options, params.presentation, snakemake.input.choice
        ).build()
        content = order_bias(*log_odds(detector, snakemake.input.cells)) | {"split": "dev"}
        if hasattr(detector, "answers"):
            content["answer_tokens"] = asdict(detector.answers)
        Path(snakemake.output[0]).write_text(json.dumps(content, indent=2) + "\n")
        log.info("%s", content)
