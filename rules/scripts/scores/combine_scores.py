"""Score the cells with an ensemble: scores/{variant}/{split}/{cell}.parquet."""

import numpy as np
import pandas as pd

from speechdt.detectors.decisions import read_calibration
from speechdt.detectors.ensemble import mean, vote
from speechdt.workflow.jobs import logged


def main(how, members, calibrations, weights, outputs):
    """Write the scores of every cell.

    `members` has the score files of all cells of the first run, then of the second, and so on;
    `calibrations` one file of each, `weights` how much it counts.
    """
    learned = [read_calibration(path) for path in calibrations]
    for cell, output in enumerate(outputs):
        tables = [pd.read_parquet(path) for path in members[cell :: len(outputs)]]
        p_speech = np.stack([table["p_speech"] for table in tables])
        combined = vote(p_speech, learned, weights) if how == "vote" else mean(p_speech, weights)
        tables[0].assign(p_speech=combined).to_parquet(output, index=False)


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        main(
            snakemake.params.how,
            snakemake.input.scores,
            snakemake.input.calibrations,
            snakemake.params.weights,
            snakemake.output,
        )
        log.info("%s of %s", snakemake.params.how, snakemake.params.members)
