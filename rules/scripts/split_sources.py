"""Put every source into train, dev or test: corpus/sources.parquet."""

import pandas as pd

from speechdt.items import check_classes
from speechdt.jobs import logged
from speechdt.split import assign

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        sources = assign(
            pd.read_parquet(snakemake.input[0]),
            snakemake.params.nested_ms,
            seed=snakemake.params.seed,
            held_out=snakemake.params.held_out,
            least_active=snakemake.params.least_active,
        )
        check_classes(sources, snakemake.params.per_class, snakemake.params.categories)
        sources.to_parquet(snakemake.output[0], index=False)
        counts = sources.groupby(["category", "split"])["group_id"].nunique().unstack()
        log.info("groups:\n%s", counts.to_string())
