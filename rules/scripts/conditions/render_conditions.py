"""Trials of all conditions: trials/conditions/{condition}.parquet."""

from pathlib import Path

import pandas as pd

from speechdt.audio.room import read_responses
from speechdt.trials.cells import count_trials
from speechdt.trials.conditions import Condition, write
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        files = {Path(output).stem: output for output in snakemake.output}
        conditions = [Condition(**condition) for condition in snakemake.params.conditions]
        write(
            pd.read_parquet(snakemake.input.chosen),
            [condition for condition in conditions if condition.rendered],
            files,
            read_responses(snakemake.input.rooms),
            seed=snakemake.params.seed,
            level=snakemake.params.level,
            workers=snakemake.threads,
        )
        for key, file in files.items():
            log.info("%s: %d trials", key, count_trials(file))
