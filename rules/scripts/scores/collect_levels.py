"""Tables of levels and of gains by choices: tables/levels.csv and presentations.csv."""

import json

import pandas as pd

from speechdt.detectors.answer_files import by_run, by_run_and_cell, scores_of_run
from speechdt.detectors.choice import gain
from speechdt.detectors.scoring import read_scored
from speechdt.reporting.tables.levels import levels, presentations
from speechdt.workflow.jobs import logged


def gained(run, inputs, **bootstrap):
    """Return what a run's choice is worth on test."""
    chosen, default = (
        read_scored(scores_of_run(run, inputs.cells, by_run_and_cell(files)))
        for files in (inputs.scores, inputs.defaults)
    )
    trials = chosen.assign(speech=chosen["label"] == "SPEECH")
    return gain(trials, chosen["p_speech"], default["p_speech"], **bootstrap)


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        files = by_run(inputs.choices)
        chosen = {name: json.loads(files[run].read_text()) for name, run in params.choosing.items()}
        bootstrap = {"replicates": params.replicates, "seed": params.seed}
        gains = {name: gained(run, inputs, **bootstrap) for name, run in params.choosing.items()}
        probes = {
            name: pd.read_csv(by_run(inputs.levels)[run]) for name, run in params.probed.items()
        }
        scored_at = {name: entry["level"] for name, entry in params.presentations.items()}
        scored_at |= {name: choice["chosen"]["level"] for name, choice in chosen.items()}
        table = presentations(params.presentations, chosen, gains)
        levels(probes, scored_at).to_csv(snakemake.output.levels, index=False)
        table.to_csv(snakemake.output.presentations, index=False)
        log.info("\n%s", table.to_string(index=False))
