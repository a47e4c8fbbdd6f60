"""Put every source into train, dev or test: corpus/sources.parquet, corpus/left_out.csv."""

import pandas as pd

from speechdt.corpus import labels
from speechdt.corpus.flags import read_flagged
from speechdt.trials.items import TooFewSources, check_classes
from speechdt.workflow.jobs import logged
from speechdt.corpus.selection import read_marks, select
from speechdt.corpus.split import assign

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        index = pd.read_parquet(snakemake.input.index)
        used, left_out = select(
            index,
            read_marks(snakemake.input.marks, index["source_id"]),
            read_flagged(snakemake.input.flags),
            snakemake.params.flag_by,
        )
        labels.check(used)
        left_out.to_csv(snakemake.output.left_out, index=False)
        sources = assign(
            used,
            snakemake.params.nested_ms,
            seed=snakemake.params.seed,
            held_out=snakemake.params.held_out,
            least_active=snakemake.params.least_active,
            unseen=snakemake.params.unseen,
        )
        try:
            check_classes(sources, snakemake.params.per_class, snakemake.params.categories)
        except TooFewSources as error:
            removed = f"; {len(left_out)} recordings are left out" if len(left_out) else ""
            raise TooFewSources(f"{error}{removed}") from error
        sources.to_parquet(snakemake.output.sources, index=False)
        apart = sorted(set(sources.loc[sources["unseen"], "origin"]))
        log.info("origins in test alone: %s", ", ".join(apart) or "none")
        counts = sources.groupby(["category", "split"])["group_id"].nunique().unstack()
        log.info("%d left out; groups:\n%s", len(left_out), counts.to_string())
