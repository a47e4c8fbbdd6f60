"""Scores of an ensemble: scores/{ensemble}/{split}/{cell}.parquet."""

from speechdt.detectors.ensemble import combine_cells
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params = snakemake.params
        combine_cells(
            params.how,
            dict(zip(params.members, params.weights, strict=True)),
            snakemake.input.scores,
            snakemake.input.calibrations,
            snakemake.output,
        )
        log.info("%s of %s", params.how, params.members)
