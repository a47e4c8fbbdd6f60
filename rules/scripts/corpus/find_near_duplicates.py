"""Recordings of nearly the same audio in different groups: corpus/near_duplicates.csv."""

import pandas as pd

from speechdt.corpus.joined_groups import APART, COLUMNS
from speechdt.corpus.near_duplicates import find
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        index = pd.read_parquet(snakemake.input.index, columns=["source_id", "path", *APART])
        pairs = find(snakemake.input.prints, index, snakemake.threads, APART)
        pairs[COLUMNS].to_csv(snakemake.output[0], index=False)
        log.info("%d pairs among %d recordings", len(pairs), len(index))
