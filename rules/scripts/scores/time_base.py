"""Latencies of all runs on a base, for the jobs that write latency/{run}.json."""

import json
from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.latency import spread
from speechdt.detectors.shared_base import SharedBase
from speechdt.detectors.shared_latency import measure_in_turn
from speechdt.environment import hardware, versions
from speechdt.prompts.run_answers import hearings
from speechdt.store import Store
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params, output = snakemake.input, snakemake.params, Path(snakemake.output[0])
        shared, about = SharedBase(), {"hardware": hardware(), "versions": versions()}
        timed = measure_in_turn(
            hearings(params.runs, find_detectors(), inputs.search, inputs.choice),
            shared,
            spread(inputs.cells, params.clips)["audio"].tolist(),
            Store(output.parents[2] / "cache" / "latency.sqlite"),
            about | {"round": params.round, "code": str(params.code)},
            anew=bool(snakemake.resources.anew),
        )
        content = {name: times | about for name, times in timed.items()}
        output.write_text(json.dumps(content, indent=2) + "\n")
        log.info("%d runs; weights were read %d times", len(timed), shared.loads)
