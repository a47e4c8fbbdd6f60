"""Comparison of versions of one detector on the same test trials: tables/versions.csv."""

from speechdt.detectors.decisions import decided_by, thresholds_by
from speechdt.statistics.families import judged
from speechdt.statistics.versions import compare_versions
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        chosen = thresholds_by(params.variants, inputs.thresholds, replicates=params.replicates)
        table = compare_versions(
            decided_by(params.variants, inputs.cells, inputs.scores, inputs.calibrations),
            params.pairs,
            {variant: thresholds.balanced[0] for variant, thresholds in chosen.items()},
            replicates=params.replicates,
            permutations=params.permutations,
            seed=params.seed,
        )
        table = judged("versions", table, "auc")
        table.to_csv(snakemake.output[0], index=False)
        log.info("\n%s", table.T.to_string())
