"""Sums of the latencies of an ensemble's members: latency/{variant}.json."""

import json
from pathlib import Path

from speechdt.detectors.latency import added
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        content = added([json.loads(Path(path).read_text()) for path in snakemake.input])
        Path(snakemake.output[0]).write_text(json.dumps(content, indent=2) + "\n")
        log.info("%s", content["latency"])
