"""Gains of each prompt search on test, and its costs: tables/searches.csv and searches.md."""

import json
from pathlib import Path

import pandas as pd

from speechdt.prompts.comparison import all_searches, compare_search
from speechdt.reporting.tables.markup import markdown
from speechdt.reporting.tables.prompts_text import SEARCHES_NOTE, first_lines, searches_table
from speechdt.workflow.jobs import logged

# Not the seconds: but for latencies, tables are the same in every run.
COSTS = ("clips", "groups", "tower_passes")


def described(table, search):
    """Return a search's comparison beside what it cost."""
    settings = {name: search[name] for name in ("search", "model", "objective", "proposer")}
    counts = {
        "candidates": len(search["candidates"]),
        "pairs": search["pairs"],
        "pairs_control": search["control"]["pairs"],
    }
    costs = {name: search["costs"][name] for name in COSTS}
    table = table.assign(**counts, **costs)
    for place, (name, value) in enumerate(settings.items()):
        table.insert(place, name, value)
    return table


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        tables = [
            described(
                compare_search(
                    pd.read_parquet(scores),
                    replicates=snakemake.params.replicates,
                    permutations=snakemake.params.permutations,
                    seed=snakemake.params.seed,
                ),
                json.loads(Path(search).read_text()),
            )
            for search, scores in zip(snakemake.input.searches, snakemake.input.scores, strict=True)
        ]
        table = all_searches(tables)
        table.to_csv(snakemake.output.csv, index=False)
        head = "\n".join(f"- {line}" for line in first_lines(table))
        shown = markdown(searches_table(table), SEARCHES_NOTE)
        Path(snakemake.output.md).write_text(f"{head}\n\n{shown}", encoding="utf-8")
        log.info("%s", head)
