"""Scores of the bank on dev, and a search: prompts/bank/{search}.csv and prompts/{search}.json."""

import json
from importlib import import_module
from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.shared_base import SharedBase
from speechdt.prompts.search_job import AskedDetector, score_bank, search_prompts
from speechdt.prompts.settings import SearchSettings
from speechdt.reporting.tables.reading import read_table
from speechdt.workflow.jobs import logged


def local(**options):
    """Return the writer of a language model from a folder or the hub, loaded if it is asked for."""
    return import_module("speechdt_backends.qwen.text_writer").LocalWriter(**options)


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        output, params, cells = snakemake.output, snakemake.params, snakemake.input.cells
        named = {"search": snakemake.wildcards.search, "model": params.model}
        cls, settings = find_detectors()[params.backend], SearchSettings(**params.settings)
        detector = AskedDetector.of_run(
            params.backend, cls, params.options, params.presentation, snakemake.input.choice
        )
        # The bank and the search ask one detector.
        given = {
            "prompts": params.prompts,
            "results": Path(output.found).parents[1],
            "seed": params.seed,
            "built": SharedBase().built,
        }
        bank = score_bank(
            cells,
            detector,
            search=snakemake.wildcards.search,
            baseline=params.baseline,
            audio_gib=settings.audio_gib,
            replicates=params.replicates,
            **given,
        )
        bank.assign(**named)[[*named, *bank.columns]].to_csv(output.bank, index=False)
        log.info("\n%s", bank.to_string(index=False))
        content = search_prompts(
            cells, detector, bank=read_table(output.bank), settings=settings, local=local, **given
        )
        Path(output.found).write_text(
            json.dumps(named | content, indent=1, ensure_ascii=False) + "\n"
        )
        log.info("winner, %s: %s", content["winner"], content["costs"])
