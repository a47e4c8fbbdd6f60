"""Draw the prompts of the bank: figures/prompts.pdf, .svg and .png."""

from pathlib import Path

from speechdt.figures.prompts import prompts
from speechdt.figures.style import save
from speechdt.jobs import logged
from speechdt.tables import read_table

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        output = Path(snakemake.output.svg)
        save(prompts(read_table(snakemake.input[0])), output.with_suffix(""))
        log.info("%s", output)
