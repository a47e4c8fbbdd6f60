"""Learn threshold and calibration of a variant from dev: calibration/{variant}.json."""

import json
from pathlib import Path

from sklearn.metrics import balanced_accuracy_score

from speechdt.detectors.scoring import read_scored
from speechdt.statistics.calibration import calibrate
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        dev = read_scored(snakemake.input.cells, snakemake.input.scores)
        learned = calibrate(dev["p_speech"], dev["label"] == "SPEECH")
        content = learned.to_dict() | {
            "clips": len(dev),
            "split": "dev",
            "balanced_accuracy": balanced_accuracy_score(
                dev["label"] == "SPEECH", learned.decide(dev["p_speech"])
            ),
        }
        Path(snakemake.output[0]).write_text(json.dumps(content, indent=2) + "\n")
        log.info("%s", content)
