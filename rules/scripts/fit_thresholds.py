"""Psychometric curves of a variant: thresholds/{variant}.csv and the curves themselves."""

from speechdt.cells import CATCH
from speechdt.jobs import logged
from speechdt.slices import decided_runs
from speechdt.thresholds import thresholds

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        trials = decided_runs(
            snakemake.input.cells, snakemake.input.scores, snakemake.input.calibrations
        )
        silent = trials["label"] == CATCH
        table, curves = thresholds(
            trials[~silent],
            trials[silent],
            replicates=snakemake.params.replicates,
            seed=snakemake.params.seed,
        )
        for frame, output in (
            (table, snakemake.output.thresholds),
            (curves, snakemake.output.curves),
        ):
            frame.insert(0, "variant", snakemake.wildcards.variant)
            frame.to_csv(output, index=False)
        log.info("%d curves", len(table))
