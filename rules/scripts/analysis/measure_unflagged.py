"""Metrics of all variants on test without the trials that hygiene flags."""

import pandas as pd

from speechdt.corpus.flags import heard, read_flagged
from speechdt.detectors.decisions import decided_by, thresholds_by
from speechdt.statistics.slices import without_flagged
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        flagged = read_flagged([inputs.flags])
        trials = decided_by(params.variants, inputs.cells, inputs.scores, inputs.calibrations)
        chosen = thresholds_by(params.variants, inputs.thresholds, replicates=params.replicates)
        tables = []
        for variant, decided in trials.items():
            table = without_flagged(
                decided,
                heard(decided, flagged),
                chosen[variant].balanced,
                replicates=params.replicates,
                seed=params.seed,
            )
            table.insert(0, "variant", variant)
            tables.append(table)
        found = pd.concat(tables, ignore_index=True)
        found.to_csv(snakemake.output[0], index=False)
        log.info("%d figures", len(found))
