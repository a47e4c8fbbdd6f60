"""Index of the foils: corpus/foils.parquet."""

from pathlib import Path

import pandas as pd

from speechdt.corpus.foils import foils, heard_in_test_alone
from speechdt.corpus.index import index, read_corpora
from speechdt.trials.foils import NoFoils
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params, kept = snakemake.params, Path(snakemake.output[0]).parents[1] / "cache"
        listed = foils(read_corpora(params.corpora))
        if not listed:
            raise NoFoils("foils: no corpus has a recording with `foil`, nor ESC-50's human sounds")
        usable, rejected = index(listed, params.clip_ms, snakemake.threads, kept / "foils.sqlite")
        test_foils = heard_in_test_alone(usable, pd.read_parquet(snakemake.input.sources))
        test_foils.to_parquet(snakemake.output[0], index=False)
        log.info("%d foils, %d of them apart from train and dev", len(listed), len(test_foils))
        log.info("\n%s", rejected.to_string(index=False))
