"""Paper folder: main.tex, numbers.tex and .csv, tables/*.tex, figures/*.pdf."""

from pathlib import Path

import yaml

from speechdt.environment import revision
from speechdt.reporting.pages.paper import write
from speechdt.reporting.tables.reading import read_table
from speechdt.statistics.error_rates import TEXT
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        given = snakemake.input
        tables = {Path(path).stem: read_table(path) for path in given.tables}
        tables |= {Path(path).stem: read_table(path, TEXT) for path in given.errors}
        written = write(
            Path(snakemake.output.main).parent,
            tables,
            given.figures,
            snakemake.params.names,
            revision=revision(Path(given.citation).parent),
            citation=yaml.safe_load(Path(given.citation).read_text()),
        )
        log.info("%d numbers", len(written))
