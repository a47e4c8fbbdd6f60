"""Figures of every variant in every condition: tables/conditions.csv."""

import pandas as pd

from speechdt.detectors.conditions import decided
from speechdt.detectors.decisions import thresholds_by
from speechdt.psychometrics.conditions import at_most, measured_conditions, table
from speechdt.trials.conditions import NEUTRAL, Condition
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        conditions = [Condition(**condition) for condition in params.conditions]
        named = {
            one.key: {"axis": one.axis, "at": one.name, "duration_ms": one.duration_ms}
            for one in conditions
        }
        chosen = thresholds_by(params.variants, inputs.thresholds, replicates=params.replicates)
        tables = []
        for variant, runs in params.variants.items():
            trials = decided(runs, conditions, inputs.trials, inputs.scores, inputs.calibrations)
            replicates, thresholds = at_most(chosen[variant].balanced)
            measured = measured_conditions(
                trials, thresholds, replicates=replicates, seed=params.seed
            )
            of = table(measured, NEUTRAL).assign(variant=variant)
            for column in ("duration_ms", "at", "axis"):
                of.insert(0, column, [named[key][column] for key in of["condition"]])
            tables.append(of[["variant", *of.columns.drop("variant")]])
        made = pd.concat(tables, ignore_index=True)
        made.to_csv(snakemake.output[0], index=False)
        log.info("%d variants in %d conditions", len(tables), len(conditions))
