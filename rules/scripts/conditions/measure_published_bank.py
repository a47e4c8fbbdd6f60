"""Figures of every variant by the published protocol: tables/published_*.csv."""

import pandas as pd

from speechdt.detectors.conditions import decided
from speechdt.detectors.decisions import thresholds_by
from speechdt.psychometrics.conditions import at_most, measured_conditions
from speechdt.psychometrics.published_bank import Condition as Named
from speechdt.psychometrics.published_bank import accuracies, beside_published, thresholds
from speechdt.trials.conditions import NEUTRAL, Condition
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params, output = snakemake.input, snakemake.params, snakemake.output
        conditions = [Condition(**condition) for condition in params.conditions]
        bank = [Named(one.key, one.axis, one.name) for one in conditions if one.axis != NEUTRAL]
        chosen = thresholds_by(params.variants, inputs.thresholds, replicates=params.replicates)
        over, along = [], []
        for variant, runs in params.variants.items():
            trials = decided(runs, conditions, inputs.trials, inputs.scores, inputs.calibrations)
            replicates, at = at_most(chosen[variant].balanced)
            measured = measured_conditions(trials, at, replicates=replicates, seed=params.seed)
            for tables, made in ((over, accuracies), (along, thresholds)):
                table = made(measured, bank)
                table.insert(0, "variant", variant)
                tables.append(table)
        accuracy = pd.concat(over, ignore_index=True)
        reached = pd.concat(along, ignore_index=True)
        accuracy.to_csv(output.bank, index=False)
        reached.to_csv(output.thresholds, index=False)
        beside_published(accuracy, reached, params.published).to_csv(output.beside, index=False)
        log.info("%d variants in %d conditions", len(over), len(bank))
