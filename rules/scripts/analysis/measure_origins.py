"""AUC of all variants within origins and on unseen ones: tables/origins.csv."""

import pandas as pd

from speechdt.detectors.decisions import decided_by
from speechdt.statistics.within_origins import by_origin
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        sources = pd.read_parquet(inputs.sources)
        unseen = set(sources.loc[sources["unseen"], "origin"])
        trials = decided_by(params.variants, inputs.cells, inputs.scores, inputs.calibrations)
        tables = []
        for variant, decided in trials.items():
            table = by_origin(decided, unseen, replicates=params.replicates, seed=params.seed)
            table.insert(0, "variant", variant)
            table.insert(1, "trained", variant in params.trained)
            tables.append(table)
        rows = pd.concat(tables, ignore_index=True)
        rows.to_csv(snakemake.output[0], index=False)
        log.info("\n%s", rows[rows["part"] != "origin"].to_string(index=False))
