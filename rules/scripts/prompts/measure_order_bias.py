"""Ask a language model with its options in both orders: prompts/order_bias/{variant}.json."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from speechdt import find_detectors
from speechdt.detectors.call import ScoreError
from speechdt.detectors.contract import Unfinished
from speechdt.detectors.hearing import Hearing
from speechdt.prompts.answer_mass import answer_mass
from speechdt.prompts.order_answers import OrderAnswers
from speechdt.prompts.order_bias import order_bias
from speechdt.prompts.winner import with_prompt
from speechdt.reporting.tables.skill import mass_warning
from speechdt.store import Store
from speechdt.trials.cells import read_cell
from speechdt.workflow.jobs import logged

MASS_CLIPS = 100


def log_odds(detector, cells, store, who):
    """Return log-odds (2, clips) and labels of all trials, and P(A) + P(B) of some of each cell."""
    kept, answers, labels, mass = OrderAnswers(detector, store), [], [], []
    each = -(-MASS_CLIPS // len(cells))
    for cell in tqdm(cells, desc="asking both orders", unit="cell"):
        trials = read_cell(cell, ["label", "audio"])
        clips = trials["audio"].tolist()
        try:
            answers.append(kept.log_odds(clips))
            if hasattr(detector, "answer_mass"):
                mass.append(kept.answer_mass(clips[:: max(1, len(clips) // each)][:each]))
        except Unfinished as error:
            raise ScoreError(f"{who}: {error}") from error
        labels.append(trials["label"])
    return np.concatenate(answers, axis=1), pd.concat(labels) == "SPEECH", mass


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        options = with_prompt(snakemake.params.options, snakemake.input.search)
        params = snakemake.params
        cls = find_detectors()[params.backend]
        heard = Hearing.of_run(
            params.backend, cls, options, params.presentation, snakemake.input.choice
        )
        detector = heard.build()
        cache = Path(snakemake.output[0]).parents[2] / "cache" / "order_bias"
        who = f"variants.{snakemake.wildcards.run}: backend '{params.backend}'"
        store = Store(cache / heard.store_name())
        z, speech, mass = log_odds(detector, snakemake.input.cells, store, who)
        content = order_bias(z, speech) | {"split": "dev"}
        if mass:
            content |= answer_mass(np.concatenate(mass))
            row = {"variant": snakemake.wildcards.run, **content}
            if warning := mass_warning(pd.DataFrame([row])):
                log.warning(warning)
                print(warning, file=sys.stderr)
        if hasattr(detector, "answers"):
            content["answer_tokens"] = asdict(detector.answers)
        Path(snakemake.output[0]).write_text(json.dumps(content, indent=2) + "\n")
        log.info("%s", content)
