"""The prompts of the bank, on dev: tables/prompts.csv and prompts.md."""

from pathlib import Path

from speechdt.reporting.tables.markup import markdown
from speechdt.reporting.tables.prompts_text import BANK_NOTE, bank_display
from speechdt.reporting.tables.reading import read_tables
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        table = read_tables(snakemake.input)
        table.to_csv(snakemake.output.csv, index=False)
        shown = markdown(bank_display(table), BANK_NOTE)
        Path(snakemake.output.md).write_text(shown, encoding="utf-8")
        log.info("%d prompts", len(table))
