"""Threshold and calibration of a run, learned on dev: calibration/{run}.json.

calibration/{run}.thresholds.parquet holds the thresholds of each replicate, first those of the
calibration; all are alike where intervals shall take them for granted.
"""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd

from speechdt.detectors.scoring import read_scored
from speechdt.statistics.calibration import balanced_accuracy, calibrate
from speechdt.statistics.criterion import blocks_for, threshold_replicates
from speechdt.statistics.metrics import auc_interval
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        # A cell that leaves a corpus out has the scores of the whole one.
        scores = {path.stem: path for path in map(Path, snakemake.input.scores)}
        dev = read_scored((cell, scores[Path(cell).stem]) for cell in snakemake.input.cells)
        dev["speech"] = dev["label"] == "SPEECH"
        learned = calibrate(dev["p_speech"], dev["speech"])
        resampled = {name: snakemake.params[name] for name in ("replicates", "seed")}
        auc, *ends = auc_interval(dev, **resampled)
        low, high = (None if math.isnan(end) else end for end in ends)
        blocks = blocks_for(ends[0])
        content = learned.to_dict() | {
            "clips": len(dev),
            "split": "dev",
            "balanced_accuracy": balanced_accuracy(dev["speech"], learned.decide(dev["p_speech"])),
            "auc": auc,
            "auc_low": low,
            "auc_high": high,
        }
        thresholds = {"threshold": learned.threshold, "threshold_far10": learned.threshold_far10}
        rows = np.arange(blocks * resampled["replicates"] + 1)
        table = pd.DataFrame(thresholds, index=rows)
        if snakemake.params.again:
            for column, rule in (("threshold", "balanced"), ("threshold_far10", "far10")):
                table[column] = threshold_replicates(dev, rule=rule, blocks=blocks, **resampled)
        table.to_parquet(snakemake.output.thresholds, index=False)
        Path(snakemake.output.calibration).write_text(json.dumps(content, indent=2) + "\n")
        log.info("%s", content)
