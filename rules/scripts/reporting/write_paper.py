"""Write the paper folder: main.tex, numbers.tex and .csv, tables/*.tex, figures/*.pdf."""

import shutil
from pathlib import Path

import yaml

from speechdt.environment import revision
from speechdt.reporting.figures.catalogue import FIGURES
from speechdt.reporting.figures.draw import draw
from speechdt.reporting.figures.style import save
from speechdt.reporting.pages import paper
from speechdt.reporting.pages.paper_numbers import as_table, macros, quoted
from speechdt.reporting.tables.reading import read_table
from speechdt.statistics.error_rates import TEXT
from speechdt.workflow.jobs import logged


def place_figures(given, tables, variants, folder):
    """Copy or draw the figures into a folder, and return their widths in inches."""
    folder.mkdir(parents=True)
    widths = {}
    for path in map(Path, given):
        name, target = path.stem, folder / path.name
        if size := paper.COLUMN_FIGURES.get(name):
            needed = {table: tables[table] for table in FIGURES[name].tables}
            save(draw(name, needed, variants, **size), folder / name, formats=["pdf"])
        else:
            shutil.copyfile(path, target)
        widths[name] = paper.pdf_width(target.read_bytes())
    return widths


def place_tables(tables, folder):
    """Write the tables into a folder, and return how main.tex takes them in."""
    folder.mkdir(parents=True)
    made = paper.tables_of(tables)
    for name, cells in made.items():
        (folder / f"{name}.tex").write_text(paper.tabular(name, cells), encoding="utf-8")
    return paper.table_floats(made)


def main(given, variants, citation, checkout, out):
    """Write the folder."""
    tables = {Path(path).stem: read_table(path) for path in given.tables}
    tables |= {Path(path).stem: read_table(path, TEXT) for path in given.errors}
    floats = place_tables(tables, Path(out.tables))
    widths = place_figures(given.figures, tables, variants, Path(out.figures))
    text = paper.main_tex(
        matrix=tables["matrix"],
        floats=floats,
        figures=paper.figure_floats(widths),
        revision=revision(checkout),
        citation=citation,
    )
    Path(out.main).write_text(text, encoding="utf-8")
    numbers = quoted(tables)
    Path(out.numbers).write_text(macros(numbers), encoding="utf-8")
    as_table(numbers).to_csv(out.provenance, index=False)
    return numbers


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        written = main(
            snakemake.input,
            snakemake.params.variants,
            yaml.safe_load(Path(snakemake.input.citation).read_text()),
            Path(snakemake.input.citation).parent,
            snakemake.output,
        )
        log.info("%d numbers", len(written))
