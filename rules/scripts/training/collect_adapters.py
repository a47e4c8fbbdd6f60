"""Trainings of all adapters: tables/adapters.csv and tables/training.csv."""

import json
from pathlib import Path

from speechdt.reporting.tables.reading import read_table
from speechdt.reporting.tables.training import adapters_table, training_curves
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        logs = {
            name: json.loads((Path(folder) / "curve.json").read_text())
            for name, folder in zip(
                snakemake.params.trainings, snakemake.input.adapters, strict=True
            )
        }
        training_curves(logs).to_csv(snakemake.output.training, index=False)
        table = adapters_table(snakemake.params.variants, logs, read_table(snakemake.input.matrix))
        table.to_csv(snakemake.output.adapters, index=False)
        log.info("\n%s", table.to_string(index=False))
