"""Check the train set at every size it grows through: trials/train/growth.csv."""

import pandas as pd

from speechdt.growth import check
from speechdt.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        table = check(
            pd.read_parquet(snakemake.input.chosen),
            pd.read_parquet(snakemake.input.sources),
            snakemake.params.least_active,
            snakemake.params.sizes,
        )
        table.to_csv(snakemake.output[0], index=False)
        log.info("\n%s", table.to_string(index=False))
