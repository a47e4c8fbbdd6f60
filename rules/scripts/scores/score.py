"""Score the cells of dev and test with one detector: scores/{run}/{split}/{cell}.parquet."""

from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.answer_files import by_run_and_cell, scores_of_run
from speechdt.detectors.call import store_name
from speechdt.detectors.scoring import score_cells
from speechdt.prompts.winner import with_prompt
from speechdt.store import Store
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0], snakemake.resources.gpu) as log:
        backend = snakemake.params.backend
        options = with_prompt(snakemake.params.options, snakemake.input.search)
        detector = find_detectors()[backend]
        scores = Path(snakemake.output[0]).parents[2]
        cache = scores.with_name("cache") / "scores" / store_name(backend, detector, options)
        asked = score_cells(
            lambda: detector(**options),
            scores_of_run(
                snakemake.wildcards.run, snakemake.input.cells, by_run_and_cell(snakemake.output)
            ),
            Store(cache),
            f"variants.{snakemake.wildcards.run}: backend '{backend}'",
        )
        log.info("%s scored %d clips; all others were in %s", backend, asked, cache)
