"""False alarms on foils: tables/foils.csv."""

from pathlib import Path

import pandas as pd

from speechdt.detectors.decisions import decided_by, thresholds_by
from speechdt.psychometrics.conditions import at_most
from speechdt.statistics.foils import foil_rates
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        chosen = thresholds_by(params.variants, inputs.thresholds, replicates=params.replicates)
        parts = []
        for path in map(Path, inputs.trials):
            scores = [file for file in inputs.scores if Path(file).name == path.name]
            decided = decided_by(params.variants, [path], scores, inputs.calibrations)
            parts.append({name: of.assign(condition=path.stem) for name, of in decided.items()})
        tables = []
        for variant in params.variants:
            replicates, _ = at_most(chosen[variant].balanced)
            trials = pd.concat([part[variant] for part in parts], ignore_index=True)
            table = foil_rates(trials, chosen[variant], replicates=replicates, seed=params.seed)
            table.insert(0, "variant", variant)
            tables.append(table)
        pd.concat(tables, ignore_index=True).to_csv(snakemake.output[0], index=False)
        log.info("%d variants", len(tables))
