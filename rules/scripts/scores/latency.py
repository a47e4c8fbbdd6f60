"""Time a detector on test clips: latency/{variant}.json."""

import json
from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.hearing import Hearing
from speechdt.detectors.latency import measure, spread
from speechdt.environment import hardware, versions
from speechdt.prompts.winner import with_prompt
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        detector = find_detectors()[snakemake.params.backend]
        options = with_prompt(snakemake.params.options, snakemake.input.search)
        heard = Hearing.of_run(
            snakemake.params.backend,
            detector,
            options,
            snakemake.params.presentation,
            snakemake.input.choice,
        )
        clips = spread(snakemake.input.cells, snakemake.params.clips)["audio"].tolist()
        timed = measure(heard.build, clips)
        content = timed | {"hardware": hardware(), "versions": versions()}
        Path(snakemake.output[0]).write_text(json.dumps(content, indent=2) + "\n")
        log.info("%s", timed)
