"""Scores of one detector on dev and test: scores/{run}/{split}/{cell}.parquet.

And dev at other levels: levels/{run}.csv.
"""

from pathlib import Path

from speechdt.detectors.answer_files import by_run_and_cell, of_split, scores_of_run
from speechdt.detectors.contract import hears_at_own_level
from speechdt.detectors.hearing import OneDetector
from speechdt.detectors.level_probe import probe
from speechdt.detectors.parts import store_of
from speechdt.detectors.scoring import score_cells
from speechdt.prompts.winner import hearing_of
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params, run = snakemake.params, snakemake.wildcards.run
        hearing = hearing_of(params, snakemake.input)
        one = OneDetector(hearing)
        levels = Path(snakemake.output.levels)
        cache = levels.parents[1] / "cache" / "scores"
        who = f"variants.{run}: backend '{params.backend}'"
        kept = cache / hearing.store_name()
        asked = score_cells(
            one.builder(hearing.presentation),
            scores_of_run(run, snakemake.input.cells, by_run_and_cell(snakemake.output.scores)),
            store_of(kept, run),
            who,
        )
        log.info("%s scored %d clips; all others were in %s", params.backend, asked, kept)
        table = probe(
            of_split(snakemake.input.cells, "dev", params.noisy),
            one,
            params.axis,
            cache,
            clips=params.clips if hears_at_own_level(hearing.cls) else params.probe_clips,
            replicates=params.replicates,
            seed=params.seed,
            who=who,
        )
        table.to_csv(levels, index=False)
        log.info("\n%s", table.to_string(index=False))
