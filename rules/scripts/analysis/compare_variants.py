"""Comparison of the variants by pairs on the same test trials: tables/comparisons.csv."""

import pandas as pd

from speechdt.detectors.decisions import decided_by, thresholds_by
from speechdt.psychometrics.comparison import compare_thresholds
from speechdt.statistics.auc_comparison import compare_auc
from speechdt.statistics.comparison import ALSO, LABELS, PLANNED, compare, contrasts
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        variants = list(params.variants)
        chosen = thresholds_by(params.variants, inputs.thresholds, replicates=params.replicates)
        planned = contrasts(variants, params.planned, params.reference)
        also = contrasts(variants, params.also)
        trials = decided_by(params.variants, inputs.cells, inputs.scores, inputs.calibrations)
        settings = {name: getattr(params, name) for name in ("replicates", "permutations", "seed")}
        levels = params.plan_snr_db
        of_plan = {name: of[of["snr_db"].isin(levels)] for name, of in trials.items()}
        table = compare(
            of_plan,
            {name: of.balanced for name, of in chosen.items()},
            planned=planned,
            also=[pair for pair in also if pair not in planned],
            **settings,
        )
        pairs = list(table[["variant", "reference"]].itertuples(index=False, name=None))
        in_family = (table["family"] == PLANNED).to_numpy()
        areas = compare_auc(of_plan, pairs, in_family, **settings)
        thresholds = compare_thresholds(trials, pairs, in_family, **settings)
        labels = table[list(LABELS)]
        table = pd.concat([labels, areas, table.drop(columns=list(LABELS)), thresholds], axis=1)
        table.to_csv(snakemake.output[0], index=False)
        families = table["family"].value_counts()
        log.info(
            "%d pairs; %d planned, %d beside them",
            *(len(table), families.get(PLANNED, 0), families.get(ALSO, 0)),
        )
