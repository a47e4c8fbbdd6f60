"""Errors of all variants on test: tables/errors*.csv and error_sources.csv."""

import pandas as pd

from speechdt.detectors.decisions import decided_by, thresholds_by
from speechdt.statistics.error_rates import (
    answers,
    common_errors,
    error_pairs,
    error_rates,
    error_sources,
)
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        given, params = snakemake.input, snakemake.params
        one_run = {variant: [run] for variant, run in params.runs.items()}
        decided = decided_by(one_run, given.cells, given.scores, given.calibrations)
        decisions = answers(decided, pd.read_parquet(given.sources))
        bootstrap = {"replicates": params.replicates, "seed": params.seed}
        chosen = thresholds_by(one_run, given.thresholds, replicates=params.replicates)
        first = {variant: of.balanced[0] for variant, of in chosen.items()}
        error_rates(decisions, first, **bootstrap).to_csv(snakemake.output.rates, index=False)
        common_errors(decisions, **bootstrap).to_csv(snakemake.output.common, index=False)
        error_pairs(decisions, **bootstrap).to_csv(snakemake.output.pairs, index=False)
        error_sources(decisions).to_csv(snakemake.output.sources, index=False)
        log.info(
            "%d trials, %d with an error", len(decisions.wrong), decisions.wrong.any(axis=1).sum()
        )
