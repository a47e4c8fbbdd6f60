"""Scores on test of a detector without choices: choices/default/{run}/test/{cell}.parquet."""

from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.answer_files import by_run_and_cell, scores_of_run
from speechdt.detectors.hearing import Hearing
from speechdt.detectors.scoring import score_cells
from speechdt.store import Store
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params, run = snakemake.params, snakemake.wildcards.run
        base = Hearing(params.backend, find_detectors()[params.backend], params.options)
        hearing = base.under(params.default)
        cache = Path(snakemake.output[0]).parents[4] / "cache" / "scores"
        asked = score_cells(
            hearing.build,
            scores_of_run(run, snakemake.input.cells, by_run_and_cell(snakemake.output)),
            Store(cache / hearing.store_name()),
            f"variants.{run}: backend '{params.backend}'",
        )
        log.info("%s scored %d clips as it comes", params.backend, asked)
