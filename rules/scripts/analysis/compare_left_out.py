"""Compare runs that know a corpus with runs that do not: tables/leave_one_out.csv and .md."""

from pathlib import Path

import pandas as pd

from speechdt.detectors.decisions import decided_by
from speechdt.reporting.tables.markup import markdown
from speechdt.reporting.tables.statistics_text import LEFT_OUT_NOTE, left_out_table
from speechdt.statistics.leave_one_out import COLUMNS, compared
from speechdt.workflow.jobs import logged


def main(decided, left_out, sources, **settings):
    """Return the table: a few rows for each corpus and variant."""
    corpus_of = sources.drop_duplicates("source_id").set_index("source_id")["corpus"]
    pairs = pd.DataFrame(left_out)
    tables = []
    for (corpus, variant, trained), runs in pairs.groupby(
        ["corpus", "variant", "trained"], sort=False
    ):
        both = []
        for names in (runs["in_domain"], runs["name"]):
            of = pd.concat(
                [decided[name].assign(run=run) for run, name in enumerate(names)],
                ignore_index=True,
            )
            both.append(of[of["source_id"].map(corpus_of) == corpus])
        told = {"corpus": corpus, "variant": variant, "trained": trained}
        tables.append(compared(*both, **settings).assign(**told))
    return pd.concat(tables, ignore_index=True).reindex(columns=COLUMNS)


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        table = main(
            decided_by(
                {run: [run] for run in params.scores_of},
                inputs.cells,
                inputs.scores,
                inputs.calibrations,
                scores_of=params.scores_of,
            ),
            params.left_out,
            pd.read_parquet(inputs.sources),
            replicates=params.replicates,
            seed=params.seed,
        )
        table.to_csv(snakemake.output.table, index=False)
        page = markdown(left_out_table(table), LEFT_OUT_NOTE)
        Path(snakemake.output.page).write_text(page, encoding="utf-8")
        log.info("\n%s", table.to_string(index=False))
