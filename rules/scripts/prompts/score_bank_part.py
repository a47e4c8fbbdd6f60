"""Answers to every n-th chunk of dev, for the job of the bank: parts/bank/{search}/….txt."""

from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.hearing import Hearing
from speechdt.prompts.asking import PromptTrials, prompt_store
from speechdt.prompts.bank import each_order, texts_of
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        output, params, named = Path(snakemake.output[0]), snakemake.params, snakemake.wildcards
        cls, choice = find_detectors()[params.backend], snakemake.input.choice
        hearing, _ = each_order(
            Hearing.of_run(params.backend, cls, params.options, params.presentation, choice)
        )
        store = prompt_store(output.parents[3], hearing, named.search, named.scatteritem)
        trials = PromptTrials(snakemake.input.cells, hearing.build, store)
        texts, swapped = texts_of(params.prompts)
        clips = trials.ask_share([*texts.values(), *swapped.values()], named.scatteritem)
        output.write_text(f"{clips}\n")
        log.info("%d clips, %d answers", clips, trials.ask.asked)
