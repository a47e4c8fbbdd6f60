"""Score dev and test with the prompts of a search: prompts/searched/{search}.parquet."""

import json
from functools import cache
from pathlib import Path

import pandas as pd

from speechdt import find_detectors
from speechdt.prompts.asking import PromptTrials, prompt_store
from speechdt.prompts.comparison import PROMPTS
from speechdt.workflow.jobs import logged


def main(found, cells, backend, options, results):
    """Return the trials of both splits with P(speech) by each prompt."""
    cls = find_detectors()[backend]
    prompts = [found[name]["prompt"] for name in ("baseline", "winner")]
    prompts.append(found["control"]["winner"]["prompt"])
    build = cache(lambda: cls(**options))  # for both splits, and not if all answers are known
    store = prompt_store(results, backend, cls, options)
    parts = []
    for split, files in cells.items():
        trials = PromptTrials(files, build, store)
        answers = dict(zip(PROMPTS, trials.ask_all(prompts), strict=True))
        parts.append(trials.table.assign(split=split, **answers))
    return pd.concat(parts, ignore_index=True)


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        output = Path(snakemake.output[0])
        table = main(
            json.loads(Path(snakemake.input.search).read_text()),
            {split: snakemake.input[split] for split in ("dev", "test")},
            snakemake.params.backend,
            snakemake.params.options,
            output.parents[2],
        )
        table.to_parquet(output, index=False)
        log.info("%d trials", len(table))
