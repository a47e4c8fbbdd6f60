"""Choices on dev: tables/choices.csv."""

import json

from speechdt.detectors.answer_files import by_run
from speechdt.reporting.tables.levels import choices
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        files = by_run(snakemake.input)
        chosen = {
            name: json.loads(files[run].read_text())
            for name, run in snakemake.params.choosing.items()
        }
        table = choices(chosen)
        table.to_csv(snakemake.output[0], index=False)
        log.info("\n%s", table.to_string(index=False))
