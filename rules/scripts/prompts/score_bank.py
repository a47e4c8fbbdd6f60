"""Ask a detector with every prompt of the bank, on all of dev: prompts/bank/{search}.csv."""

from pathlib import Path

from speechdt import find_detectors
from speechdt.prompts.asking import PromptTrials, prompt_store
from speechdt.prompts.bank import ask_bank, bank_table
from speechdt.workflow.jobs import logged


def main(cells, backend, options, prompts, baseline, results, **bootstrap):
    """Return the table of the bank."""
    cls = find_detectors()[backend]
    # Each order is asked by itself, and both are averaged here.
    both = options.get("option_order") == "both"
    options = options | ({"option_order": "fixed"} if both else {})
    store = prompt_store(results, backend, cls, options)
    trials = PromptTrials(cells, lambda: cls(**options), store)
    answers, orders = ask_bank(trials.ask_all, prompts, both=both)
    return bank_table(trials.table, answers, orders, baseline, **bootstrap)


if __name__ == "__main__":
    with logged(snakemake.log[0], snakemake.resources.gpu) as log:
        output = Path(snakemake.output[0])
        table = main(
            snakemake.input.cells,
            snakemake.params.backend,
            snakemake.params.options,
            snakemake.params.prompts,
            snakemake.params.baseline,
            output.parents[2],
            replicates=snakemake.params.replicates,
            seed=snakemake.params.seed,
        )
        table.insert(0, "search", snakemake.wildcards.search)
        table.insert(1, "model", snakemake.params.model)
        table.to_csv(output, index=False)
        log.info("\n%s", table.to_string(index=False))
