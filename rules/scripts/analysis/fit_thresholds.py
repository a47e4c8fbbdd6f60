"""Psychometric curves of a variant: thresholds/{variant}.csv and the curves themselves."""

import json
from pathlib import Path

from speechdt.audio.presentation import MIRRORED
from speechdt.detectors.decisions import decided_runs, thresholds_by
from speechdt.psychometrics.played_twice import without_duration
from speechdt.psychometrics.surface import surface
from speechdt.psychometrics.thresholds import thresholds
from speechdt.trials.cells import CATCH
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        trials = decided_runs(
            snakemake.params.runs,
            snakemake.input.cells,
            snakemake.input.scores,
            snakemake.input.calibrations,
        )
        silent = trials["label"] == CATCH
        settings = {"replicates": snakemake.params.replicates, "seed": snakemake.params.seed}
        criteria = thresholds_by(
            {"": snakemake.params.runs},
            snakemake.input.thresholds,
            replicates=snakemake.params.replicates,
            further=True,
        )
        settings["criteria"] = criteria[""]
        table, curves = thresholds(
            trials[~silent], trials[silent], plan=snakemake.params.plan, **settings
        )
        chosen = [json.loads(Path(path).read_text())["chosen"] for path in snakemake.input.choices]
        containers = [*snakemake.params.containers, *(one["container"] for one in chosen)]
        table = without_duration(table, MIRRORED in containers)
        parameters, contour = surface(trials[~silent], trials[silent], **settings)
        for frame, output in (
            (table, snakemake.output.thresholds),
            (curves, snakemake.output.curves),
            (parameters, snakemake.output.surface),
            (contour, snakemake.output.contour),
        ):
            frame.insert(0, "variant", snakemake.wildcards.variant)
            frame.to_csv(output, index=False)
        log.info("%d curves", len(table))
