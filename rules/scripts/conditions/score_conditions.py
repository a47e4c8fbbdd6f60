"""Scores of one detector in all conditions: scores/{run}/conditions/{condition}.parquet."""

from pathlib import Path

from speechdt.detectors.conditions import score
from speechdt.detectors.hearing import OneDetector
from speechdt.prompts.winner import hearing_of
from speechdt.store import Store
from speechdt.trials.conditions import Condition
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params, run = snakemake.params, snakemake.wildcards.run
        detector = hearing_of(params, snakemake.input)
        outputs = {Path(path).stem: Path(path) for path in snakemake.output}
        cache = Path(snakemake.output[0]).parents[3] / "cache" / "scores"
        asked = score(
            OneDetector(detector),
            [Condition(**condition) for condition in params.conditions],
            {Path(path).stem: Path(path) for path in snakemake.input.trials},
            outputs,
            lambda hearing: Store(cache / hearing.store_name()),
            f"variants.{run}: backend '{params.backend}'",
        )
        log.info("%s scored %d clips in %d conditions", params.backend, asked, len(outputs))
