"""Operating points of all variants: tables/operating_points.csv and roc.csv."""

import pandas as pd

from speechdt.detectors.decisions import decided_by, thresholds_by
from speechdt.statistics.operating_points import operating_points, roc_table
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        trials = decided_by(params.variants, inputs.cells, inputs.scores, inputs.calibrations)
        resampled = {"replicates": params.replicates, "seed": params.seed}
        chosen = thresholds_by(params.variants, inputs.thresholds, replicates=params.replicates)
        points, curves = [], []
        for variant, decided in trials.items():
            of = {"variant": variant, "ready_made": variant in params.ready_made}
            points.append(
                operating_points(
                    decided,
                    list(chosen[variant].balanced),
                    params.vendor_thresholds.get(variant),
                    **resampled,
                ).assign(**of)
            )
            curves.append(roc_table(decided, **resampled).assign(**of))
        for tables, path in ((points, snakemake.output.points), (curves, snakemake.output.roc)):
            table = pd.concat(tables, ignore_index=True)
            first = ["variant", "ready_made"]
            table[first + [name for name in table if name not in first]].to_csv(path, index=False)
        log.info("%d variants", len(points))
