"""Search for a prompt on dev: prompts/{search}.json."""

import json
from importlib import import_module
from pathlib import Path

from speechdt import find_detectors
from speechdt.prompts.search_job import AskedDetector, search_prompts
from speechdt.prompts.settings import SearchSettings
from speechdt.reporting.tables.reading import read_table
from speechdt.workflow.jobs import logged


def local(**options):
    """Return the writer of a language model from a folder or the hub, loaded if it is asked for."""
    return import_module("speechdt_backends.qwen.text_writer").LocalWriter(**options)


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        output, params = Path(snakemake.output[0]), snakemake.params
        cls = find_detectors()[params.backend]
        content = search_prompts(
            snakemake.input.cells,
            AskedDetector.of_run(
                params.backend, cls, params.options, params.presentation, snakemake.input.choice
            ),
            bank=read_table(snakemake.input.bank),
            prompts=params.prompts,
            settings=SearchSettings(**params.settings),
            results=output.parents[1],
            seed=params.seed,
            local=local,
        )
        named = {"search": snakemake.wildcards.search, "model": params.model}
        output.write_text(json.dumps(named | content, indent=1, ensure_ascii=False) + "\n")
        log.info("winner, %s: %s", content["winner"], content["costs"])
