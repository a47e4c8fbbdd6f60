"""Costs of all variants in every case, and their scores by class: tables/cases.csv …"""

import pandas as pd

from speechdt.detectors.decisions import decided_by
from speechdt.statistics.cases import cases
from speechdt.statistics.score_shares import score_shares
from speechdt.workflow.jobs import logged

REPLICATES = 500
"""Few, since thousands of intervals come of them, each to be looked up and not to be tested."""

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        given, params = snakemake.input, snakemake.params
        dev = decided_by(params.variants, given.dev, given.dev_scores, given.calibrations)
        test = decided_by(params.variants, given.test, given.test_scores, given.calibrations)
        plan = list(params.plan_snr_db)
        table = cases(dev, test, plan, replicates=REPLICATES, seed=params.seed)
        table.to_csv(snakemake.output.cases, index=False)
        shares = [
            score_shares(trials[trials["snr_db"].isin(plan)]).assign(variant=variant)
            for variant, trials in test.items()
        ]
        shares = pd.concat(shares, ignore_index=True)
        shares.insert(0, "variant", shares.pop("variant"))
        shares.to_csv(snakemake.output.shares, index=False)
        log.info("%d cases", len(table) // max(len(test), 1))
