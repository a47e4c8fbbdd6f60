"""Search for a prompt on dev: prompts/{search}.json."""

import hashlib
import json
import time
from importlib import import_module
from pathlib import Path

from speechdt import find_detectors
from speechdt.prompts.asking import PromptTrials, prompt_store
from speechdt.prompts.bank import best_of_bank
from speechdt.prompts.judge import Judge
from speechdt.prompts.opro import search
from speechdt.prompts.proposers.contract import ProposerError
from speechdt.prompts.proposers.template import TemplateProposer
from speechdt.prompts.proposers.writer import Writer
from speechdt.prompts.race import blocks
from speechdt.prompts.settings import SearchSettings
from speechdt.reporting.tables.reading import read_table
from speechdt.workflow.jobs import logged


def proposer(settings, trials):
    """Return what proposes prompts."""
    told = settings.proposer_options
    if settings.kind == "template":
        return TemplateProposer()
    if settings.kind == "self":
        return Writer(lambda text, seed: trials.detector.generate(text, seed, **told))
    if settings.kind == "openai":
        return Writer(settings.server())
    writing = import_module("speechdt_backends.qwen.text_writer")
    return Writer(writing.LocalWriter(**told))


def recall(store, settings, causes):
    """Return what remembers proposals, but for those that are the same each time anyway.

    What is proposed hangs on what was scored, hence on the clips too.
    """
    if settings.kind == "template":
        return lambda _turn, propose: propose()
    own = hashlib.sha256(repr(causes).encode()).hexdigest()[:16]
    return lambda turn, propose: store.proposals(f"{own} {turn}", propose)


def main(cells, bank, backend, options, settings, prompts, results, seed):
    """Return the content of the file."""
    began = time.perf_counter()
    cls = find_detectors()[backend]
    store = prompt_store(results, backend, cls, options)
    trials = PromptTrials(cells, lambda: cls(**options), store, settings.audio_gib)
    table = trials.table
    columns = ((table["label"] == "SPEECH").to_numpy(), table["item_id"], table["group_id"])
    start = best_of_bank(bank, prompts, settings.objective, settings.start)
    found = search(
        ask=trials.ask,
        judge=Judge(*columns, settings.objective, settings.replicates, seed),
        blocks=blocks(*columns, seed),
        baseline=options["prompt"],
        start=start,
        proposer=proposer(settings, trials),
        budget=settings.budget,
        seed=seed,
        recall=recall(store, settings, [settings, seed, options["prompt"], start, trials.keys]),
        optimizer=settings.optimizer,
        heard=trials.in_words(),
    )
    if found["failures"] and not any(entry["step"] for entry in found["candidates"]):
        raise ProposerError(f"nothing was proposed: {found['failures'][-1]}")
    costs = {
        "clips": len(table),
        "groups": int(table["group_id"].nunique()),
        "tower_passes": trials.tower_passes,
        "pairs_asked": trials.ask.asked,
        "seconds": round(time.perf_counter() - began, 1),
    }
    described = {
        "objective": settings.objective,
        "optimizer": settings.optimizer,
        "proposer": settings.kind,
        "split": "dev",
    }
    return described | found | {"costs": costs}


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        output = Path(snakemake.output[0])
        content = main(
            snakemake.input.cells,
            read_table(snakemake.input.bank),
            snakemake.params.backend,
            snakemake.params.options,
            SearchSettings(**snakemake.params.settings),
            snakemake.params.prompts,
            output.parents[1],
            snakemake.params.seed,
        )
        named = {"search": snakemake.wildcards.search, "model": snakemake.params.model}
        output.write_text(json.dumps(named | content, indent=1, ensure_ascii=False) + "\n")
        log.info("winner, %s: %s", content["winner"], content["costs"])
