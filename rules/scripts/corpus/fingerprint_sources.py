"""Fingerprints of all recordings, for the leak audit: corpus/fingerprints.parquet."""

import pandas as pd

from speechdt.workflow.jobs import logged
from speechdt.corpus.near_duplicates import write_fingerprints

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        index = pd.read_parquet(snakemake.input[0], columns=["source_id", "path"])
        write_fingerprints(
            snakemake.output[0],
            index["source_id"].tolist(),
            index["path"].tolist(),
            snakemake.threads,
        )
        log.info("%d recordings", len(index))
