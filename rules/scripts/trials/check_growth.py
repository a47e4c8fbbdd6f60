"""Balance of a train set at every size it grows through: trials/{train}/growth.csv."""

import pandas as pd

from speechdt.trials.background_origins import parts
from speechdt.trials.balance import check
from speechdt.trials.without_corpus import sources_without
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        sources = pd.read_parquet(snakemake.input.sources)
        if corpus := snakemake.params.without:
            sources = sources_without(sources, corpus)
        table = check(
            pd.read_parquet(snakemake.input.chosen),
            parts(sources, "train", snakemake.params.backgrounds).targets,
            snakemake.params.least_active,
            snakemake.params.sizes,
        )
        table.to_csv(snakemake.output[0], index=False)
        log.info("\n%s", table.to_string(index=False))
