"""Counts of the recordings of each category that hygiene would remove: hygiene.csv."""

from pathlib import Path

import pandas as pd

from speechdt.corpus.hygiene import Thresholds, count
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        thresholds = {
            check: Thresholds(**limits) for check, limits in snakemake.params.thresholds.items()
        }
        counts = count(
            pd.read_parquet(snakemake.input.index),
            {Path(file).stem: pd.read_parquet(file) for file in snakemake.input.scores},
            thresholds,
        )
        counts.to_csv(snakemake.output[0], index=False)
        log.info("\n%s", counts.to_string(index=False))
