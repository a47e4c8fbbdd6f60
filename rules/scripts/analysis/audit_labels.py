"""Recordings whose label every ready-made detector contradicts: corpus/to_hear.csv."""

import json

import pandas as pd

from speechdt.detectors.answer_files import by_run
from speechdt.detectors.decisions import decided_by
from speechdt.statistics.label_audit import contradicted
from speechdt.workflow.jobs import logged

CHANCE = 0.5


def with_skill(runs, calibrations):
    """Return the runs whose AUC on dev is above chance: no other can contradict a label."""
    learned = {run: json.loads(path.read_text()) for run, path in by_run(calibrations).items()}
    return [run for run in runs if (learned[run]["auc_low"] or 0.0) > CHANCE]


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs = snakemake.input
        judges = with_skill(snakemake.params.runs, inputs.calibrations)
        decided = {run: [] for run in judges}
        for split in ("dev", "test"):
            own = decided_by(
                {run: [run] for run in judges},
                inputs[split],
                inputs[f"{split}_scores"],
                inputs.calibrations,
            )
            for run, trials in own.items():
                decided[run].append(trials.assign(split=split))
        table = contradicted(
            {run: pd.concat(parts, ignore_index=True) for run, parts in decided.items()},
            pd.read_parquet(inputs.sources),
        )
        table.to_csv(snakemake.output[0], index=False)
        log.info("%d recordings, contradicted by %s", len(table), ", ".join(judges) or "nobody")
