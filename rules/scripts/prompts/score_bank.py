"""Ask a detector with every prompt of the bank, on all of dev: prompts/bank/{search}.csv."""

from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.hearing import Hearing
from speechdt.prompts.asking import PromptTrials, prompt_store
from speechdt.prompts.bank import ask_bank, bank_table, each_order
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        output, params = Path(snakemake.output[0]), snakemake.params
        cls, choice = find_detectors()[params.backend], snakemake.input.choice
        heard, both = each_order(
            Hearing.of_run(params.backend, cls, params.options, params.presentation, choice)
        )
        store = prompt_store(output.parents[2], heard, snakemake.wildcards.search)
        trials = PromptTrials(snakemake.input.cells, heard.build, store)
        answers, orders = ask_bank(trials.ask_all, params.prompts, both=both)
        table = bank_table(
            trials.table,
            answers,
            orders,
            params.baseline,
            replicates=params.replicates,
            seed=params.seed,
        )
        table.insert(0, "search", snakemake.wildcards.search)
        table.insert(1, "model", params.model)
        table.to_csv(output, index=False)
        log.info("\n%s", table.to_string(index=False))
