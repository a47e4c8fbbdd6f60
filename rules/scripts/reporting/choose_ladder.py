"""Items to hear at every SNR, with the answers of all variants: metrics/ladder.parquet."""

from speechdt.detectors.decisions import decided_by
from speechdt.reporting.pages.ladder import ladder
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        given = snakemake.input
        one_run = {variant: [run] for variant, run in snakemake.params.runs.items()}
        decided = decided_by(one_run, given.cells, given.scores, given.calibrations)
        table = ladder(decided, given.cells)
        table.to_parquet(snakemake.output[0], index=False)
        log.info("%d items", table["item_id"].nunique())
