"""The paper: main.tex with every table and figure of a run, set for two columns.

The text is a draft to start from: it quotes the run by the macros of numbers.tex, so that it stays
true when the run is repeated.
"""

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from speechdt.reporting.figures.catalogue import FIGURES
from speechdt.reporting.figures.draw import draw
from speechdt.reporting.figures.style import save
from speechdt.reporting.pages.environment import template
from speechdt.reporting.pages.paper_numbers import Quoted, as_table, camel, macros, quoted
from speechdt.reporting.pages.paper_tables import PAPER_TABLES, Tables, tables_of
from speechdt.reporting.tables.formatting import model_notes
from speechdt.reporting.tables.markup import escape, latex, split
from speechdt.reporting.tables.names import renamed

COLUMN_IN = 3.5
"""Width in inches of a column of the page; figures are never scaled, so that their type is not."""
SLACK_IN = 0.01
COLUMN_FIGURES = {"pareto": {"width": COLUMN_IN, "height": 2.7}}
"""Figures that are drawn again to fit a column; the others come as they are."""
LETTER_PT, SMALL_PT, GAP_PT = 4.3, 3.4, 8.0
"""Mean width of a letter in a table and of one in an interval, and the gap between two columns."""


class Float(NamedTuple):
    """A table or figure as main.tex takes it in: name, caption (LaTeX), and over both columns."""

    name: str
    caption: str
    wide: bool


def write(
    folder: Path,
    tables: Tables,
    figures: Iterable[Path | str],
    names: Mapping[str, str],
    *,
    revision: str,
    citation: Mapping[str, Any],
) -> list[Quoted]:
    """Write the folder: main.tex, numbers.tex and .csv, tables/ and figures/.

    Parameters
    ----------
    folder : Path
    tables : mapping of str to DataFrame
        CSV tables of the run by name.
    figures : iterable of paths
        PDF of the figures of the catalogue; those that are not for the paper are left out.
    names : mapping of str to str
        What readers call each variant, in the order of the configuration. Macros and sources of
        the numbers go by the variants themselves.
    revision : str
        Git commit of the code, or empty.
    citation : mapping
        Content of ``CITATION.cff``.

    Returns
    -------
    list of Quoted
        The numbers of numbers.tex.
    """
    shown = {name: renamed(table, names) for name, table in tables.items()}
    floats = _place_tables(shown, folder / "tables")
    widths = _place_figures(figures, shown, list(names.values()), folder / "figures")
    text = main_tex(
        matrix=tables["matrix"],
        names=names,
        floats=floats,
        figures=figure_floats(widths),
        revision=revision,
        citation=citation,
    )
    (folder / "main.tex").write_text(text, encoding="utf-8")
    numbers = quoted(tables)
    (folder / "numbers.tex").write_text(macros(numbers), encoding="utf-8")
    as_table(numbers).to_csv(folder / "numbers.csv", index=False)
    return numbers


def _place_tables(tables: Tables, folder: Path) -> list[Float]:
    """Write the tables into a folder, and return how main.tex takes them in."""
    folder.mkdir(parents=True)
    made = tables_of(tables)
    for name, cells in made.items():
        (folder / f"{name}.tex").write_text(tabular(name, cells), encoding="utf-8")
    return table_floats(made)


def _place_figures(
    figures: Iterable[Path | str], tables: Tables, variants: Sequence[str], folder: Path
) -> dict[str, float]:
    """Copy or draw the figures into a folder, and return their widths in inches."""
    folder.mkdir(parents=True)
    widths = {}
    for path in map(Path, figures):
        name, target = path.stem, folder / path.name
        if not FIGURES[name].in_paper:
            continue
        if size := COLUMN_FIGURES.get(name):
            needed = {table: tables[table] for table in FIGURES[name].tables}
            save(draw(name, needed, variants, None, **size), folder / name, formats=["pdf"])
        else:
            shutil.copyfile(path, target)
        widths[name] = pdf_width(target.read_bytes())
    return widths


def tabular(name: str, cells: pd.DataFrame) -> str:
    """Return a table of the paper as a LaTeX tabular."""
    entry = PAPER_TABLES[name]
    return latex(cells, entry.caption, labels=entry.labels)


def table_floats(made: Mapping[str, pd.DataFrame]) -> list[Float]:
    """Return how main.tex takes in the tables."""
    return [
        Float(name, caption(PAPER_TABLES[name].caption), _wide(cells, PAPER_TABLES[name].labels))
        for name, cells in made.items()
    ]


def _wide(cells: pd.DataFrame, labels: int) -> bool:
    """Tell whether a table is wider than a column of the page, as far as its letters tell."""
    widths = [GAP_PT] * cells.shape[1]
    for at, name in enumerate(cells):
        for text in (str(name), *cells[name]):
            value, small = (text, "") if at < labels and text != name else split(text)
            widths[at] = max(widths[at], len(value) * LETTER_PT, len(small) * SMALL_PT)
    return sum(widths) + GAP_PT * len(widths) > COLUMN_IN * 72


def figure_floats(widths: Mapping[str, float]) -> list[Float]:
    """Return how main.tex takes in the figures, from their widths in inches."""
    texts = {name: f"{FIGURES[name].title}. {FIGURES[name].caption}" for name in widths}
    return [
        Float(name, caption(texts[name]), width > COLUMN_IN + SLACK_IN)
        for name, width in widths.items()
    ]


def caption(text: str) -> str:
    """Return plain text as LaTeX, with spaces that do not break where none should."""
    return re.sub(r"(\d) \\%", r"\1\\,\\%", escape(text))


def pdf_width(pdf: bytes) -> float:
    """Return the width in inches of a PDF figure of matplotlib."""
    box = re.search(rb"/MediaBox \[ ?[\d.]+ [\d.]+ ([\d.]+) [\d.]+ ?\]", pdf)
    if not box:
        raise ValueError("no MediaBox in this PDF")
    return float(box[1]) / 72


def main_tex(
    *,
    matrix: pd.DataFrame,
    names: Mapping[str, str],
    floats: Sequence[Float],
    figures: Sequence[Float],
    revision: str,
    citation: Mapping[str, Any],
) -> str:
    """Return main.tex.

    Parameters
    ----------
    matrix : DataFrame
        The comparison matrix.
    names : mapping of str to str
        What readers call each variant.
    floats, figures : sequence of Float
        From `table_floats` and `figure_floats`.
    revision : str
        Git commit of the code, or empty.
    citation : mapping
        Content of ``CITATION.cff``.
    """
    return template("main.tex.j2").render(
        variants=[
            {"name": escape(names[variant]), "macro": camel(variant)}
            for variant in matrix["variant"]
        ],
        notes=[escape(note) for note in model_notes(renamed(matrix, names))],
        tables=floats,
        figures=figures,
        names={float_.name for float_ in (*floats, *figures)},
        revision=escape(revision),
        title=escape(str(citation.get("title", "speechdt"))),
        version=escape(str(citation.get("version", ""))),
        address=str(citation.get("repository-code") or citation.get("url") or ""),
    )
