"""Learn threshold and calibration of a variant from dev: calibration/{variant}.json."""

import json
import math
from pathlib import Path

from sklearn.metrics import balanced_accuracy_score

from speechdt.calibration import calibrate
from speechdt.jobs import logged
from speechdt.metrics import auc_interval
from speechdt.scoring import read_scored

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        dev = read_scored(snakemake.input.cells, snakemake.input.scores)
        dev["speech"] = dev["label"] == "SPEECH"
        learned = calibrate(dev["p_speech"], dev["speech"])
        resampled = {name: snakemake.params[name] for name in ("replicates", "seed")}
        auc, *ends = auc_interval(dev, **resampled)
        low, high = (None if math.isnan(end) else end for end in ends)
        content = learned.to_dict() | {
            "clips": len(dev),
            "split": "dev",
            "balanced_accuracy": balanced_accuracy_score(
                dev["speech"], learned.decide(dev["p_speech"])
            ),
            "auc": auc,
            "auc_low": low,
            "auc_high": high,
        }
        Path(snakemake.output[0]).write_text(json.dumps(content, indent=2) + "\n")
        log.info("%s", content)
