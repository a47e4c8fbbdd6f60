"""Latencies and their frontier: tables/latency.csv and tables/pareto.csv."""

import json

from speechdt.detectors.answer_files import by_run
from speechdt.reporting.tables.latency import latency, pareto
from speechdt.reporting.tables.reading import read_table
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        files = by_run(snakemake.input.latency)
        timed = {
            variant: json.loads(files[run].read_text())
            for variant, run in snakemake.params.runs.items()
        }
        times = latency(timed)
        times.to_csv(snakemake.output.latency, index=False)
        points = pareto(times, read_table(snakemake.input.matrix))
        points.to_csv(snakemake.output.pareto, index=False)
        log.info("\n%s", points.to_string(index=False))
