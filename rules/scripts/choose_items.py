"""Choose the items of a split: trials/{split}/items.parquet."""

import pandas as pd

from speechdt.grid import CROSSED, Grid
from speechdt.items import crossed, uncrossed
from speechdt.jobs import logged


def main(sources, split, grid, trials, seed):
    """Return the items of a split."""
    choices = {
        "seed": seed,
        "least_active": trials["least_active"],
        "backgrounds": trials["backgrounds"],
        "categories": trials["categories"],
    }
    if split in CROSSED:
        return crossed(sources, split, trials["items"][split], grid, **choices)
    return uncrossed(sources, trials["train_clips"], grid, **choices)


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        items = main(
            pd.read_parquet(snakemake.input[0]),
            snakemake.wildcards.split,
            Grid(**snakemake.params.grid),
            snakemake.params.trials,
            snakemake.params.seed,
        )
        items.to_parquet(snakemake.output[0], index=False)
        log.info("%d items", len(items))
