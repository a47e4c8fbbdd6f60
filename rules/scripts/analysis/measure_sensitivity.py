"""Move each variant's threshold: tables/threshold_sensitivity.csv."""

import pandas as pd

from speechdt.detectors.decisions import read_calibration
from speechdt.detectors.scoring import read_scored
from speechdt.statistics.threshold_sensitivity import sensitivity
from speechdt.workflow.jobs import logged


def read_split(cells, scores, place):
    """Return the trials of a split with the scores of one variant."""
    trials = read_scored(cells, scores[place * len(cells) : (place + 1) * len(cells)])
    return trials.assign(speech=trials["label"] == "SPEECH")


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, tables = snakemake.input, []
        for place, variant in enumerate(snakemake.params.variants):
            table = sensitivity(
                read_split(inputs.dev, inputs.dev_scores, place),
                read_split(inputs.test, inputs.test_scores, place),
                read_calibration(inputs.calibrations[place]).threshold,
                replicates=snakemake.params.replicates,
                seed=snakemake.params.seed,
            )
            table.insert(0, "variant", variant)
            tables.append(table)
        pd.concat(tables).to_csv(snakemake.output[0], index=False)
        log.info("%d variants", len(tables))
