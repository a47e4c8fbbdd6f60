"""Put the variants together: tables/matrix.csv, metrics.csv, thresholds.csv, curves.csv …"""

import json
from itertools import islice
from pathlib import Path

import pandas as pd

from speechdt.jobs import logged
from speechdt.skill import mean_auc
from speechdt.tables import matrix, read_tables

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        tables = {
            name: read_tables(snakemake.input[name])
            for name in (
                *("metrics", "reliability", "thresholds", "curves"),
                *("surface", "contour"),
            )
        }
        learned = (json.loads(Path(path).read_text()) for path in snakemake.input.calibrations)
        tables["matrix"] = matrix(
            tables["metrics"],
            tables["thresholds"],
            snakemake.params.variants,
            {
                variant: mean_auc(list(islice(learned, runs)))
                for variant, runs in snakemake.params.runs.items()
            },
        )
        for name, table in tables.items():
            table.to_csv(snakemake.output[name], index=False)
        with pd.option_context("display.width", 200):
            log.info("\n%s", tables["matrix"].to_string(index=False))
