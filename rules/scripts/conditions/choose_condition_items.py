"""Items that all conditions play: trials/conditions/items.parquet."""

import pandas as pd

from speechdt.trials.conditions import Condition, condition_items
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params = snakemake.params
        items = condition_items(
            pd.read_parquet(snakemake.input[0]),
            [Condition(**condition) for condition in params.conditions],
            params.per_class,
            seed=params.seed,
            least_active=params.least_active,
            categories=params.categories,
        )
        items.to_parquet(snakemake.output[0], index=False)
        log.info("%d items of %d groups", len(items), items["group_id"].nunique())
