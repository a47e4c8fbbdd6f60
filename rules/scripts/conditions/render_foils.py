"""Trials of foils: trials/foils/{noisy,clean}.parquet."""

from pathlib import Path

import pandas as pd

from speechdt.trials.conditions import write
from speechdt.trials.foils import foil_conditions, foil_items
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params = snakemake.params
        items = foil_items(
            pd.read_parquet(snakemake.input[0]),
            params.per_kind,
            params.clip_ms,
            seed=params.seed,
            least_active=params.least_active,
        )
        write(
            items,
            foil_conditions(params.snr_db, params.clip_ms),
            {Path(path).stem: path for path in snakemake.output},
            {},
            seed=params.seed,
            level=params.level,
            workers=snakemake.threads,
        )
        log.info("%d items of %d kinds", len(items), items["category"].nunique())
