"""Scores of one detector for every recording: corpus/hygiene/{check}.parquet."""

from pathlib import Path

import pandas as pd

from speechdt import find_detectors
from speechdt.detectors.hearing import Hearing
from speechdt.detectors.parts import store_of
from speechdt.detectors.recordings import measure
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params = snakemake.params
        detector = find_detectors()[params.backend]
        hearing = Hearing.of_run(params.backend, detector, params.options, params.presentation)
        cache = Path(snakemake.output[0]).parents[2] / "cache" / "hygiene"
        scores = measure(
            pd.read_parquet(snakemake.input[0], columns=["source_id", "path", "sha256"]),
            hearing,
            store_of(cache / hearing.store_name(), snakemake.wildcards.check),
            # On a GPU one process is enough, and all that there is memory for.
            1 if detector.gpus else snakemake.threads,
        )
        scores.to_parquet(snakemake.output[0], index=False)
        log.info("%d recordings", len(scores))
