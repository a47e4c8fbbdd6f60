"""Render the items of a split into its cells: trials/{split}/{cell}.parquet."""

from pathlib import Path

import pandas as pd

from speechdt.cells import write_cell
from speechdt.grid import Grid
from speechdt.jobs import logged
from speechdt.trials import render

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        files = {Path(output).stem: output for output in snakemake.output}
        rendered = render(
            pd.read_parquet(snakemake.input[0]),
            [cell for cell in Grid(**snakemake.params.grid).cells if cell.name in files],
            seed=snakemake.params.seed,
            level=snakemake.params.level,
            workers=snakemake.threads,
        )
        for name, trials in rendered:
            write_cell(files[name], trials)
            log.info("%s: %d trials", name, len(trials))
