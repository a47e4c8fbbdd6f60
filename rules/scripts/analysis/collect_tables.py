"""Tables of all variants: tables/matrix.csv, metrics.csv, thresholds.csv, curves.csv …"""

import json
from pathlib import Path

import pandas as pd

from speechdt.detectors.answer_files import by_run
from speechdt.instrument import record
from speechdt.reporting.tables.levels import LEVEL_TEXT, with_presentations
from speechdt.reporting.tables.matrix import matrix, with_origins
from speechdt.reporting.tables.reading import read_table, read_tables
from speechdt.reporting.tables.skill import mean_auc
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        tables = {
            name: read_tables(snakemake.input[name])
            for name in (
                *("metrics", "reliability", "thresholds", "curves"),
                *("surface", "contour"),
            )
        }
        learned = {
            run: json.loads(path.read_text())
            for run, path in by_run(snakemake.input.calibrations).items()
        }
        rows = matrix(
            tables["metrics"],
            tables["thresholds"],
            snakemake.params.variants,
            {
                variant: mean_auc([learned[run] for run in runs])
                for variant, runs in snakemake.params.runs.items()
            },
        )
        tables["matrix"] = with_origins(rows, read_tables([snakemake.input.origins]))
        presented = read_table(snakemake.input.presentations, LEVEL_TEXT)
        tables["matrix"] = with_presentations(tables["matrix"], presented)
        Path(snakemake.output.instrument).write_text(record())
        for name, table in tables.items():
            table.to_csv(snakemake.output[name], index=False)
        with pd.option_context("display.width", 200):
            log.info("\n%s", tables["matrix"].to_string(index=False))
