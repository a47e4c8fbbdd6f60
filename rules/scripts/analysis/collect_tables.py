"""Put the variants together: tables/matrix.csv, metrics.csv, thresholds.csv, curves.csv …"""

import pandas as pd

from speechdt.reporting.tables.matrix import matrix
from speechdt.reporting.tables.reading import read_tables
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
        tables["matrix"] = matrix(
            tables["metrics"], tables["thresholds"], snakemake.params.variants
        )
        for name, table in tables.items():
            table.to_csv(snakemake.output[name], index=False)
        with pd.option_context("display.width", 200):
            log.info("\n%s", tables["matrix"].to_string(index=False))
