"""Page on which one listens to recordings and trials: corpus/inspect.html."""

from pathlib import Path

import pandas as pd

from speechdt.corpus.flags import read_flagged
from speechdt.reporting.pages.condition_cards import condition_cards
from speechdt.reporting.pages.inspection import page
from speechdt.reporting.tables.reading import read_table
from speechdt.statistics.label_audit import LISTED
from speechdt.trials.conditions import Condition
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        lists = [read_table(path, also_text=LISTED[:1]) for path in snakemake.input.to_hear]
        doubted = [name for table in lists for name in table["source_id"]]
        html = page(
            pd.read_parquet(snakemake.input.sources),
            snakemake.input.cells,
            snakemake.params.seed,
            read_flagged(snakemake.input.flags),
            doubted,
            condition_cards(
                [Condition(**condition) for condition in snakemake.params.conditions],
                snakemake.input.conditions,
                snakemake.params.seed,
            ),
        )
        Path(snakemake.output[0]).write_text(html, encoding="utf-8")
        log.info("%s: %d bytes", snakemake.output[0], len(html.encode()))
