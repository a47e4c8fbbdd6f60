"""Scores of one detector for every n-th recording, for the job that has all of them."""

from pathlib import Path

import pandas as pd

from speechdt import find_detectors
from speechdt.detectors.hearing import Hearing
from speechdt.detectors.parts import share, store_of
from speechdt.detectors.recordings import measure
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params, named = snakemake.params, snakemake.wildcards
        detector = find_detectors()[params.backend]
        hearing = Hearing.of_run(params.backend, detector, params.options, params.presentation)
        output = Path(snakemake.output[0])
        kept = output.parents[3] / "cache" / "hygiene" / hearing.store_name()
        index = pd.read_parquet(snakemake.input[0], columns=["source_id", "path", "sha256"])
        places = share(range(len(index)), named.scatteritem)
        measure(
            index.iloc[list(places)],
            hearing,
            store_of(kept, named.check, named.scatteritem),
            1 if detector.gpus else snakemake.threads,
        )
        output.write_text(f"{len(places)} recordings\n")
        log.info("%d recordings", len(places))
