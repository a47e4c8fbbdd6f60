"""Compare the variants pair by pair on the same test trials: tables/comparisons.csv."""

import pandas as pd

from speechdt.detectors.decisions import decided_by
from speechdt.psychometrics.comparison import compare_thresholds
from speechdt.statistics.comparison import ALSO, PLANNED, compare, contrasts
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        variants = list(params.variants)
        planned = contrasts(variants, params.planned, params.reference)
        also = contrasts(variants, params.also)
        trials = decided_by(params.variants, inputs.cells, inputs.scores, inputs.calibrations)
        settings = {name: getattr(params, name) for name in ("replicates", "permutations", "seed")}
        table = compare(
            {name: of[of["snr_db"].isin(params.plan_snr_db)] for name, of in trials.items()},
            planned=planned,
            also=[pair for pair in also if pair not in planned],
            **settings,
        )
        pairs = list(table[["variant", "reference"]].itertuples(index=False, name=None))
        in_family = (table["family"] == PLANNED).to_numpy()
        thresholds = compare_thresholds(trials, pairs, in_family, **settings)
        table = pd.concat([table, thresholds], axis=1)
        table.to_csv(snakemake.output[0], index=False)
        families = table["family"].value_counts()
        log.info(
            "%d pairs; %d planned, %d beside them",
            *(len(table), families.get(PLANNED, 0), families.get(ALSO, 0)),
        )
