"""Draw a figure of the catalogue: figures/{figure}.pdf, .svg and .png."""

from pathlib import Path

from speechdt.reporting.figures.catalogue import FIGURES
from speechdt.reporting.figures.draw import draw
from speechdt.reporting.figures.style import save
from speechdt.reporting.tables.reading import read_table
from speechdt.workflow.jobs import logged


def main(name, tables, variants, stem):
    """Draw one figure from its tables, in the order of the catalogue."""
    frames = {
        table: read_table(path) for table, path in zip(FIGURES[name].tables, tables, strict=True)
    }
    save(draw(name, frames, variants), stem)


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        output = Path(snakemake.output.svg)
        main(
            snakemake.wildcards.figure,
            snakemake.input,
            snakemake.params.variants,
            output.with_suffix(""),
        )
        log.info("%s", output)
