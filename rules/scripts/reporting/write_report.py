"""Write the report: report.html."""

import json
from pathlib import Path

import pandas as pd
import yaml

from speechdt.environment import revision, versions
from speechdt.reporting.pages.report.page import render
from speechdt.reporting.pages.report.section import Results
from speechdt.reporting.tables.reading import read_table
from speechdt.trials.grid import CROSSED
from speechdt.workflow.jobs import logged


def read_results(given, variants, config):
    """Return the results of the run, from the inputs of the rule."""
    files = [Path(file) for file in given]
    timed = read_json(variants, given.latency_of)
    return Results(
        tables={file.stem: read_table(file) for file in files if file.suffix == ".csv"},
        figures={file.stem: file.read_text() for file in files if file.suffix == ".svg"},
        calibrations=read_json(variants, given.calibration),
        hardware={variant: times["hardware"] for variant, times in timed.items()},
        sources=pd.read_parquet(given.sources),
        items={
            split: pd.read_parquet(file) for split, file in zip(CROSSED, given.chosen, strict=True)
        },
        config=config,
        versions=versions(),
        revision=revision(Path(given.citation).parent),
        citation=yaml.safe_load(Path(given.citation).read_text()),
        searches=[json.loads(Path(file).read_text()) for file in given.searches],
    )


def read_json(variants, files):
    """Return the content of JSON files by variant."""
    return {
        variant: json.loads(Path(file).read_text())
        for variant, file in zip(variants, files, strict=True)
    }


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params = snakemake.params
        page = render(read_results(snakemake.input, params.variants, params.config))
        Path(snakemake.output[0]).write_text(page, encoding="utf-8")
        log.info("%s: %d bytes", snakemake.output[0], len(page.encode()))
