"""Psychometric curves of a variant: thresholds/{variant}.csv and the curves themselves."""

from speechdt.cells import CATCH
from speechdt.jobs import logged
from speechdt.slices import decided_runs
from speechdt.surface import surface
from speechdt.thresholds import thresholds

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        trials = decided_runs(
            snakemake.input.cells, snakemake.input.scores, snakemake.input.calibrations
        )
        silent = trials["label"] == CATCH
        settings = {"replicates": snakemake.params.replicates, "seed": snakemake.params.seed}
        table, curves = thresholds(trials[~silent], trials[silent], **settings)
        parameters, contour = surface(trials[~silent], trials[silent], **settings)
        for frame, output in (
            (table, snakemake.output.thresholds),
            (curves, snakemake.output.curves),
            (parameters, snakemake.output.surface),
            (contour, snakemake.output.contour),
        ):
            frame.insert(0, "variant", snakemake.wildcards.variant)
            frame.to_csv(output, index=False)
        log.info("%d curves", len(table))
