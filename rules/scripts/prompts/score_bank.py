"""Ask a detector with every prompt of the bank, on all of dev: prompts/bank/{search}.csv."""

from dataclasses import replace
from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.hearing import Hearing
from speechdt.prompts.asking import PromptTrials, prompt_store
from speechdt.prompts.bank import ask_bank, bank_table
from speechdt.workflow.jobs import logged


def main(cells, heard, prompts, baseline, results, **bootstrap):
    """Return the table of the bank."""
    # Each order is asked by itself, and both are averaged here.
    both = heard.options.get("option_order") == "both"
    options = heard.options | ({"option_order": "fixed"} if both else {})
    heard = replace(heard, options=options)
    trials = PromptTrials(cells, heard.build, prompt_store(results, heard))
    answers, orders = ask_bank(trials.ask_all, prompts, both=both)
    return bank_table(trials.table, answers, orders, baseline, **bootstrap)


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        output, params = Path(snakemake.output[0]), snakemake.params
        cls, choice = find_detectors()[params.backend], snakemake.input.choice
        table = main(
            snakemake.input.cells,
            Hearing.of_run(params.backend, cls, params.options, params.presentation, choice),
            params.prompts,
            params.baseline,
            output.parents[2],
            replicates=params.replicates,
            seed=params.seed,
        )
        table.insert(0, "search", snakemake.wildcards.search)
        table.insert(1, "model", params.model)
        table.to_csv(output, index=False)
        log.info("\n%s", table.to_string(index=False))
