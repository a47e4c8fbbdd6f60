"""Dataset card, by which Hugging Face datasets opens the trials: trials/README.md."""

from pathlib import Path

import pandas as pd

from speechdt.corpus.flags import read_flagged
from speechdt.reporting.pages.dataset_card import render
from speechdt.trials.grid import Grid
from speechdt.workflow.jobs import logged


def by_split(files, grid):
    """Return cell files by split and cell."""
    cells = {cell.name: cell for cell in grid.cells}
    splits = {}
    for file in map(Path, files):
        splits.setdefault(file.parent.name, {})[cells[file.stem]] = file
    return splits


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        card = render(
            by_split(snakemake.input.cells, Grid(**snakemake.params.grid)),
            pd.read_parquet(snakemake.input.sources),
            snakemake.params.corpora,
            snakemake.params.settings,
            read_flagged(snakemake.input.flags),
        )
        Path(snakemake.output[0]).write_text(card, encoding="utf-8")
        log.info("%s", snakemake.output[0])
