"""Comparison of runs with and without a corpus: tables/leave_one_out.csv and .md."""

from pathlib import Path

import pandas as pd

from speechdt.detectors.decisions import decided_by, thresholds_by
from speechdt.reporting.tables.markup import markdown
from speechdt.reporting.tables.statistics_text import LEFT_OUT_NOTE, left_out_table
from speechdt.statistics.leave_one_out import compare_all
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        own = {run: [run] for run in params.scores_of}
        chosen = thresholds_by(own, inputs.thresholds, replicates=params.replicates)
        sources = pd.read_parquet(inputs.sources).drop_duplicates("source_id")
        table = compare_all(
            decided_by(
                own,
                inputs.cells,
                inputs.scores,
                inputs.calibrations,
                scores_of=params.scores_of,
            ),
            params.left_out,
            sources.set_index("source_id")["corpus"].to_dict(),
            {run: of.balanced for run, of in chosen.items()},
            replicates=params.replicates,
            seed=params.seed,
        )
        table.to_csv(snakemake.output.table, index=False)
        page = markdown(left_out_table(table), LEFT_OUT_NOTE)
        Path(snakemake.output.page).write_text(page, encoding="utf-8")
        log.info("\n%s", table.to_string(index=False))
