"""Metrics of all variants on test without recordings whose label detectors contradict."""

import pandas as pd

from speechdt.corpus.flags import heard
from speechdt.detectors.decisions import decided_by, thresholds_by
from speechdt.statistics.slices import without_flagged
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        listed = set(pd.read_csv(inputs.to_hear, dtype=str, keep_default_na=False)["source_id"])
        trials = decided_by(params.variants, inputs.cells, inputs.scores, inputs.calibrations)
        chosen = thresholds_by(params.variants, inputs.thresholds, replicates=params.replicates)
        tables = []
        for variant, decided in trials.items():
            table = without_flagged(
                decided,
                heard(decided, listed),
                chosen[variant].balanced,
                replicates=params.replicates,
                seed=params.seed,
            ).assign(by="labels", level="uncontradicted")
            table.insert(0, "variant", variant)
            tables.append(table)
        pd.concat(tables, ignore_index=True).to_csv(snakemake.output[0], index=False)
        log.info("%d recordings left out", len(listed))
