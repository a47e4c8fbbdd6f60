"""Typeset paper: paper/main.pdf."""

from pathlib import Path

from speechdt.reporting.pages.typesetting import typeset
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        main = Path(snakemake.input.folder)
        typeset(main.parent, Path(snakemake.log[0]).with_suffix(".tex.log"))
        log.info("%s", snakemake.output[0])
