"""Report: report.html."""

import json
from pathlib import Path

import pandas as pd
import yaml

from speechdt.detectors.answer_files import by_run
from speechdt.environment import revision, versions
from speechdt.reporting.pages.report.page import render
from speechdt.reporting.pages.report.section import Results
from speechdt.reporting.tables.names import renamed
from speechdt.reporting.tables.reading import read_table
from speechdt.statistics.error_rates import TEXT
from speechdt.workflow.accepted import accepted
from speechdt.workflow.jobs import logged
from speechdt.workflow.manifest import manifest_of


def read_results(given, runs, names, config, accepted):
    """Return the results of the run, from the inputs of the rule and a run of each variant."""
    files = [Path(file) for file in given]
    timed = read_json(runs, given.latency_of)
    # Levels of errors are text, whatever they look like.
    tables = {
        file.stem: read_table(file, TEXT if file.stem == "errors" else ())
        for file in files
        if file.suffix == ".csv"
    }
    called = {names[variant]: run for variant, run in runs.items()}
    return Results(
        tables={name: renamed(table, names) for name, table in tables.items()},
        figures={file.stem: file.read_text() for file in files if file.suffix == ".svg"},
        calibrations=read_json(called, given.calibration),
        hardware={names[variant]: times["hardware"] for variant, times in timed.items()},
        sources=pd.read_parquet(given.sources),
        items={Path(file).parent.name: pd.read_parquet(file) for file in given.chosen},
        config=config,
        versions=versions(),
        revision=revision(Path(given.citation).parent),
        citation=yaml.safe_load(Path(given.citation).read_text()),
        searches=[json.loads(Path(file).read_text()) for file in given.searches],
        ladder=pd.read_parquet(given.ladder),
        names=names,
        accepted=accepted,
    )


def read_json(runs, files):
    """Return the content of JSON files, which are named for runs, by variant."""
    of_run = by_run(files)
    return {variant: json.loads(of_run[run].read_text()) for variant, run in runs.items()}


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params = snakemake.params
        marked = accepted(manifest_of(snakemake.log[0]))
        given = (snakemake.input, params.runs, params.names, params.config, marked)
        page = render(read_results(*given))
        Path(snakemake.output[0]).write_text(page, encoding="utf-8")
        log.info("%s: %d bytes", snakemake.output[0], len(page.encode()))
