"""Accuracy of each variant with its threshold moved: tables/threshold_sensitivity.csv."""

import pandas as pd

from speechdt.detectors.answer_files import by_run, by_run_and_cell, scores_of_run
from speechdt.detectors.decisions import read_calibration
from speechdt.detectors.scoring import read_scored
from speechdt.statistics.threshold_sensitivity import sensitivity
from speechdt.workflow.jobs import logged


def read_split(run, cells, scores):
    """Return the trials of a split with the scores of one run."""
    trials = read_scored(scores_of_run(run, cells, by_run_and_cell(scores)))
    return trials.assign(speech=trials["label"] == "SPEECH")


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, tables = snakemake.input, []
        calibrations = by_run(inputs.calibrations)
        for variant, run in snakemake.params.runs.items():
            table = sensitivity(
                read_split(run, inputs.dev, inputs.dev_scores),
                read_split(run, inputs.test, inputs.test_scores),
                read_calibration(calibrations[run]).threshold,
                replicates=snakemake.params.replicates,
                seed=snakemake.params.seed,
            )
            table.insert(0, "variant", variant)
            tables.append(table)
        pd.concat(tables).to_csv(snakemake.output[0], index=False)
        log.info("%d variants", len(tables))
