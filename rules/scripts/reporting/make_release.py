"""Folder of a run, ready to upload: release/."""

from dataclasses import fields
from pathlib import Path

from speechdt.detectors.decisions import decided_by
from speechdt.environment import revision, versions
from speechdt.reporting.pages.release import RunFiles, write
from speechdt.reporting.pages.release_provenance import RECORDS, read_records
from speechdt.trials.grid import CROSSED
from speechdt.workflow.accepted import refuse_accepted
from speechdt.workflow.jobs import logged
from speechdt.workflow.manifest import manifest_of


def decisions(given, runs):
    """Yield dev and test, each with the decisions of every run."""
    for split in CROSSED:
        cells = [path for path in given.cells if Path(path).parent.name == split]
        scores = [path for path in given.scores if Path(path).parent.name == split]
        runs_of = {run: [run] for run in runs}
        yield split, decided_by(runs_of, cells, scores, given.calibration)


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        refuse_accepted(manifest_of(snakemake.log[0]))
        given, folder = snakemake.input, Path(snakemake.output[0])
        files = RunFiles(**{field.name: given[field.name] for field in fields(RunFiles)})
        made = read_records()
        if not made:
            log.warning("%s holds no records: rules and inputs stay empty", RECORDS)
        count = write(
            folder,
            files,
            decisions(given, snakemake.params.runs),
            config=snakemake.params.config,
            names=snakemake.params.names,
            versions=versions(),
            revision=revision(files.checkout),
            made=made,
        )
        log.info("%s: %d files", folder, count)
