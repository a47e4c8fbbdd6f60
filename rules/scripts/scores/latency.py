"""Latency of a detector on test clips: latency/{variant}.json."""

import json
from pathlib import Path

from speechdt.detectors.latency import measure, spread
from speechdt.environment import hardware, versions
from speechdt.prompts.winner import hearing_of
from speechdt.workflow.jobs import logged


def timed(inputs, params):
    """Time a run by itself."""
    clips = spread(inputs.cells, params.clips)["audio"].tolist()
    return measure(hearing_of(params, inputs).build, clips) | {
        "hardware": hardware(),
        "versions": versions(),
    }


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        if snakemake.input.timed:  # with all others on its base
            content = json.loads(Path(snakemake.input.timed).read_text())[snakemake.wildcards.run]
        else:
            content = timed(snakemake.input, snakemake.params)
        Path(snakemake.output[0]).write_text(json.dumps(content, indent=2) + "\n")
        log.info("%s", content)
