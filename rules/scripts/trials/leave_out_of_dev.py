"""Dev without the trials that play a corpus: trials/dev-without-{corpus}/."""

from pathlib import Path

import pandas as pd

from speechdt.trials.without_corpus import copy_without
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        files = zip(map(Path, snakemake.input.cells), map(Path, snakemake.output), strict=True)
        copied = copy_without(
            dict(files), pd.read_parquet(snakemake.input.sources), snakemake.wildcards.corpus
        )
        log.info("%s", copied)
