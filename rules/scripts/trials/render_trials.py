"""Trials of a split by cell: trials/{split}/{cell}.parquet."""

from pathlib import Path

import pandas as pd

from speechdt.trials.cells import count_trials
from speechdt.trials.grid import Grid
from speechdt.trials.rendering import write
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        files = {Path(output).stem: output for output in snakemake.output}
        write(
            pd.read_parquet(snakemake.input[0]),
            [cell for cell in Grid(**snakemake.params.grid).cells if cell.name in files],
            files,
            seed=snakemake.params.seed,
            level=snakemake.params.level,
            workers=snakemake.threads,
        )
        for name, file in files.items():
            log.info("%s: %d trials", name, count_trials(file))
