"""Draw the prompts of the bank: figures/prompts.pdf, .svg and .png."""

from pathlib import Path

from speechdt.reporting.figures.prompts import prompts
from speechdt.reporting.figures.style import save
from speechdt.reporting.tables.reading import read_table
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        output = Path(snakemake.output.svg)
        save(prompts(read_table(snakemake.input[0])), output.with_suffix(""))
        log.info("%s", output)
