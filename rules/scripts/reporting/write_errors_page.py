"""Errors page: errors.html, and its clips beside it if they are many."""

from pathlib import Path

import pandas as pd

from speechdt.detectors.answer_files import by_run
from speechdt.detectors.decisions import decided_by, read_calibration
from speechdt.reporting.pages.errors_page import page
from speechdt.reporting.tables.names import renamed
from speechdt.reporting.tables.reading import read_table
from speechdt.statistics.error_rates import TEXT, answers
from speechdt.workflow.jobs import logged


def main(given, params, folder):
    """Return the page, and write its clips into the folder, if one is given."""
    names = params.names
    one_run = {names[variant]: [run] for variant, run in params.runs.items()}
    decided = decided_by(one_run, given.cells, given.scores, given.calibrations)
    calibrations = by_run(given.calibrations)
    tables = {
        **{"errors": given.rates, "errors_common": given.common},
        **{"errors_pairs": given.pairs, "error_sources": given.ranked},
    }
    error_tables = {name: renamed(read_table(path, TEXT), names) for name, path in tables.items()}
    return page(
        answers(decided, pd.read_parquet(given.sources)),
        error_tables | {"matrix": renamed(read_table(given.matrix), names)},
        cells=given.cells,
        clean=given.clean,
        clean_ms=params.clean_ms,
        thresholds={
            names[variant]: read_calibration(calibrations[run]).threshold
            for variant, run in params.runs.items()
        },
        most=params.clips,
        folder=folder,
    )


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        folders = [Path(folder) for folder in snakemake.output.get("audio", [])]
        html = main(snakemake.input, snakemake.params, folders[0] if folders else None)
        Path(snakemake.output.page).write_text(html, encoding="utf-8")
        log.info("%s: %d bytes", snakemake.output.page, len(html.encode()))
