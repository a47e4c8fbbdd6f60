"""Scores on dev and test with the prompts of a search: prompts/searched/{search}.parquet."""

import json
from pathlib import Path

from speechdt import find_detectors
from speechdt.prompts.search_job import AskedDetector, score_found
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        output, params = Path(snakemake.output[0]), snakemake.params
        cls = find_detectors()[params.backend]
        table = score_found(
            json.loads(Path(snakemake.input.search).read_text()),
            {split: snakemake.input[split] for split in ("dev", "test")},
            AskedDetector.of_run(
                params.backend, cls, params.options, params.presentation, snakemake.input.choice
            ),
            output.parents[2],
        )
        table.to_parquet(output, index=False)
        log.info("%d trials", len(table))
