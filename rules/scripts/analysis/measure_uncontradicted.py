"""Metrics of all variants on test without recordings whose label detectors contradict."""

import pandas as pd

from speechdt.corpus.flags import involving
from speechdt.detectors.decisions import decided_by, thresholds_by
from speechdt.statistics.slices import each_without_flagged
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        listed = set(pd.read_csv(inputs.to_hear, dtype=str, keep_default_na=False)["source_id"])
        trials = decided_by(params.variants, inputs.cells, inputs.scores, inputs.calibrations)
        chosen = thresholds_by(params.variants, inputs.thresholds, replicates=params.replicates)
        table = each_without_flagged(
            trials,
            {variant: involving(decided, listed) for variant, decided in trials.items()},
            {variant: of.balanced for variant, of in chosen.items()},
            ("labels", "uncontradicted"),
            replicates=params.replicates,
            seed=params.seed,
        )
        table.to_csv(snakemake.output[0], index=False)
        log.info("%d recordings left out", len(listed))
