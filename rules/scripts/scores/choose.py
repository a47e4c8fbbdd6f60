"""Choice of a detector's level, container and options on dev: choices/{run}.json."""

import json
from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.choice import choose
from speechdt.detectors.hearing import Hearing
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params, output = snakemake.params, Path(snakemake.output[0])
        chosen = choose(
            snakemake.input.cells,
            Hearing(params.backend, find_detectors()[params.backend], params.options),
            params.alternatives,
            output.parents[1] / "cache" / "scores",
            clips=params.clips,
            replicates=params.replicates,
            seed=params.seed,
            who=f"variants.{snakemake.wildcards.run}: backend '{params.backend}'",
        )
        output.write_text(json.dumps(chosen, indent=2) + "\n")
        log.info("%s", chosen)
