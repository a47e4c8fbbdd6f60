"""Learn threshold and calibration of a run from dev: calibration/{run}.json."""

import json
from pathlib import Path

from sklearn.metrics import balanced_accuracy_score

from speechdt.detectors.scoring import read_scored
from speechdt.statistics.calibration import calibrate
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        # A cell that leaves a corpus out has the scores of the whole one.
        scores = {path.stem: path for path in map(Path, snakemake.input.scores)}
        dev = read_scored((cell, scores[Path(cell).stem]) for cell in snakemake.input.cells)
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
