"""Count and draw what hygiene would remove of each category: corpus/hygiene.csv and a figure."""

from pathlib import Path

import pandas as pd

from speechdt.reporting.figures.hygiene import hygiene
from speechdt.reporting.figures.style import save
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
        counts.to_csv(snakemake.output.table, index=False)
        save(hygiene(counts), Path(snakemake.output.svg).with_suffix(""))
        log.info("\n%s", counts.to_string(index=False))
