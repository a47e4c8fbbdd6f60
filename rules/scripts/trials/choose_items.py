"""Items of a split: trials/{split}/items.parquet."""

import pandas as pd

from speechdt.trials.grid import CROSSED, Grid
from speechdt.trials.items import TooFewSources, crossed, uncrossed
from speechdt.trials.without_corpus import INSTEAD, categories_left, sources_without
from speechdt.workflow.jobs import logged


def main(sources, split, corpus, grid, trials, seed):
    """Return the items of a split; if a corpus is left out, of the categories that are left."""
    if corpus:
        sources = sources_without(sources, corpus)
        trials = trials | {"categories": categories_left(sources, trials["categories"])}
    choices = {
        "seed": seed,
        "least_active": trials["least_active"],
        "backgrounds": trials["backgrounds"],
        "categories": trials["categories"],
    }
    if split in CROSSED:
        return crossed(sources, split, trials["items"][split], grid, **choices)
    choices["backgrounds"] = trials["train_backgrounds"]
    try:
        return uncrossed(sources, trials["train_clips"], grid, **choices)
    except TooFewSources as error:
        raise TooFewSources(f"{error}; {INSTEAD}" if corpus else str(error)) from error


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        items = main(
            pd.read_parquet(snakemake.input[0]),
            snakemake.wildcards.split,
            snakemake.params.without,
            Grid(**snakemake.params.grid),
            snakemake.params.trials,
            snakemake.params.seed,
        )
        items.to_parquet(snakemake.output[0], index=False)
        log.info("%d items", len(items))
        both = set(items["background_origin"]) & set(items["origin"])
        if both:
            log.warning(
                "recorded backgrounds are of origins that give targets too, since the split has no "
                "others: %s",
                ", ".join(sorted(both)),
            )
