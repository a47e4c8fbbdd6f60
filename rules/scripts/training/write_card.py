"""Card of an adapter, with its figures on test: cards/{adapter}.md."""

from pathlib import Path

from speechdt.reporting.tables.names import renamed
from speechdt.reporting.tables.reading import read_table
from speechdt.reporting.tables.training_text import card_with_test
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        card = (Path(snakemake.input.adapter) / "README.md").read_text(encoding="utf-8")
        names = snakemake.params.names
        matrix = renamed(read_table(snakemake.input.matrix), names)
        page = card_with_test(card, matrix, [names[name] for name in snakemake.params.variants])
        Path(snakemake.output[0]).write_text(page, encoding="utf-8")
        log.info("%s", snakemake.params.variants)
