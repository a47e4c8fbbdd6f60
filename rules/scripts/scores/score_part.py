"""Score every n-th cell with one detector, for the job that scores all: parts/score/{run}/….txt."""

import tempfile
from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.hearing import Hearing, OneDetector
from speechdt.detectors.parts import share, store_of
from speechdt.detectors.scoring import score_cells
from speechdt.prompts.winner import with_prompt
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params, named = snakemake.params, snakemake.wildcards
        options = with_prompt(params.options, snakemake.input.search)
        detector = find_detectors()[params.backend]
        choice = snakemake.input.choice
        heard = Hearing.of_run(params.backend, detector, options, params.presentation, choice)
        output = Path(snakemake.output[0])
        kept = output.parents[3] / "cache" / "scores" / heard.store_name()
        cells = share(list(snakemake.input.cells), named.scatteritem)
        # The scores stay in the part's store; the job that scores all writes the files.
        with tempfile.TemporaryDirectory() as scratch:
            asked = score_cells(
                OneDetector(heard).builder(heard.presentation),
                [(cell, Path(scratch) / f"{place}.parquet") for place, cell in enumerate(cells)],
                store_of(kept, named.run, named.scatteritem),
                f"variants.{named.run}: backend '{params.backend}'",
            )
        output.write_text("".join(f"{cell}\n" for cell in cells))
        log.info("%s scored %d clips of %d cells", params.backend, asked, len(cells))
