"""Metrics of a variant on test, by slice: metrics/{variant}.csv and its reliability diagram."""

import pandas as pd

from speechdt.detectors.decisions import decided_runs, thresholds_by
from speechdt.statistics.metrics import reliability
from speechdt.statistics.slices import by_slice
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        trials = decided_runs(
            snakemake.params.runs,
            snakemake.input.cells,
            snakemake.input.scores,
            snakemake.input.calibrations,
            pd.read_parquet(snakemake.input.sources),
        )
        params = snakemake.params
        chosen = thresholds_by(
            {"": params.runs},
            snakemake.input.thresholds,
            replicates=params.replicates,
            further=True,
        )[""]
        table = by_slice(trials, chosen.balanced, replicates=params.replicates, seed=params.seed)
        table.insert(0, "variant", snakemake.wildcards.variant)
        table.to_csv(snakemake.output.metrics, index=False)
        points = reliability(trials[trials["snr_db"].notna()])
        points.insert(0, "variant", snakemake.wildcards.variant)
        points.to_csv(snakemake.output.reliability, index=False)
        log.info("%d figures", len(table))
