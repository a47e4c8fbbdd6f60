"""Figure of the catalogue: figures/{figure}.pdf, .svg and .png."""

from pathlib import Path

from speechdt.reporting.figures.draw import draw
from speechdt.reporting.figures.style import save
from speechdt.reporting.tables.reading import read_table
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        output = Path(snakemake.output.svg)
        tables = {Path(path).stem: read_table(path) for path in snakemake.input}
        save(
            draw(
                snakemake.wildcards.figure,
                tables,
                snakemake.params.variants,
                snakemake.params.names,
            ),
            output.with_suffix(""),
        )
        log.info("%s", output)
