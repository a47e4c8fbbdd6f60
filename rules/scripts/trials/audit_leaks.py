"""Proof that the splits share nothing: trials/audit.csv."""

import pandas as pd

from speechdt.trials.grid import SPLITS
from speechdt.trials.leak_audit import audit, audit_recordings
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        sources = pd.read_parquet(snakemake.input.sources)
        trials = {name: files for name, files in snakemake.input.items() if name in SPLITS}
        counts = pd.concat(
            [
                audit(trials, sources),
                audit_recordings(snakemake.input.prints, sources, log, snakemake.threads),
            ]
        )
        counts.to_csv(snakemake.output[0], index=False)
        log.info("no leaks:\n%s", counts.to_string(index=False))
