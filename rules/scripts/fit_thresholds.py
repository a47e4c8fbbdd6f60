"""Psychometric curves of a variant: thresholds/{variant}.csv and the curves themselves."""

from speechdt.cells import CATCH
from speechdt.jobs import logged
from speechdt.slices import decided_trials, read_calibration
from speechdt.thresholds import thresholds

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        calibration = read_calibration(snakemake.input.calibration)
        trials = decided_trials(snakemake.input.cells, snakemake.input.scores, calibration)
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
