"""Recordings that the check `flag_by` flags: corpus/flags.parquet."""

import pandas as pd

from speechdt.corpus.hygiene import Thresholds, flag
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        index = pd.read_parquet(snakemake.input.index, columns=["source_id", "label"])
        scores = pd.read_parquet(snakemake.input.scores)
        flagged = flag(index, scores, Thresholds(**snakemake.params.thresholds))
        flags = pd.DataFrame({"source_id": index["source_id"], "flagged": flagged})
        flags.to_parquet(snakemake.output[0], index=False)
        log.info("%d of %d recordings are flagged", flagged.sum(), len(flags))
