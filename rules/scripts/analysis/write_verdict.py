"""Verdict on the study's success criteria: tables/verdict.md and verdict.csv."""

from pathlib import Path

import pandas as pd

from speechdt.reporting.tables.criteria import criteria_of
from speechdt.reporting.tables.measured import Run
from speechdt.reporting.tables.reading import read_table
from speechdt.reporting.tables.verdict import findings
from speechdt.reporting.tables.verdict_text import page
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        tables = ("matrix", "comparisons", "metrics", "latency")
        run = Run(
            **{name: read_table(inputs[name]) for name in tables},
            training=read_table(inputs.training[0]) if inputs.training else None,
            adapters=params.adapters,
            judged=params.judged,
            baselines=[name for name in params.baselines if name in params.names],
        )
        criteria = criteria_of(params.criteria)
        text = page(run, criteria, params.names)
        Path(snakemake.output.page).write_text(text, encoding="utf-8")
        pd.DataFrame(findings(run, criteria)).to_csv(snakemake.output.table, index=False)
        log.info("%s", text)
