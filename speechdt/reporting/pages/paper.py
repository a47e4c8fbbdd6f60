"""The paper folder: main.tex with every table and figure of a run, set for two columns.

The text is a draft to start from: it quotes the run by the macros of numbers.tex, so that it stays
true when the run is repeated.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import jinja2
import pandas as pd

from speechdt.corpus.sources import CATEGORIES
from speechdt.reporting.figures.catalogue import FIGURES
from speechdt.reporting.pages.clip_player import TEMPLATES
from speechdt.reporting.pages.paper_numbers import camel
from speechdt.reporting.tables import (
    error_rates_text,
    formatting,
    latency_text,
    matrix_text,
    statistics_text,
    thresholds_text,
)
from speechdt.reporting.tables.markup import escape, latex, split

COLUMN_IN = 3.5
"""Width in inches of a column of the page; figures are never scaled, so that their type is not."""
SLACK_IN = 0.01
COLUMN_FIGURES = {"pareto": {"width": COLUMN_IN, "height": 2.7}}
"""Figures that are drawn again to fit a column; the others come as they are."""
LETTER_PT, SMALL_PT, GAP_PT = 4.3, 3.4, 8.0
"""Mean width of a letter in a table and of one in an interval, and the gap between two columns."""

Tables: TypeAlias = Mapping[str, pd.DataFrame]


class PaperTable(NamedTuple):
    """A table of the paper.

    Attributes
    ----------
    caption : str
        Plain text.
    labels : int
        Columns at the left that hold names.
    made : callable
        Its cells, from the tables of the run by name.
    """

    caption: str
    labels: int
    made: Callable[[Tables], pd.DataFrame]


ACCURACIES = (
    *("Variant", "Backend", "Accuracy (%)", "Balanced (%)", "SPEECH (%)", "NONSPEECH (%)"),
    *("AUC", "Clean (%)"),
)


def _comparison(tables: Tables) -> pd.DataFrame:
    ranges = formatting.tested_ranges(tables["curves"])
    return matrix_text.matrix_table(tables["matrix"], tables["latency"], ranges)[list(ACCURACIES)]


def _thresholds(tables: Tables, dimension: str) -> pd.DataFrame:
    ranges = formatting.tested_ranges(tables["curves"])
    if dimension not in ranges:
        return pd.DataFrame()
    along = tables["thresholds"][tables["thresholds"]["dimension"] == dimension]
    table = thresholds_text.thresholds_table(along, ranges, pooled=True)
    return table.drop(columns=["Along", "At"])


def _sliced(tables: Tables, dimension: str) -> pd.DataFrame:
    ranges = formatting.tested_ranges(tables["curves"])
    if dimension not in ranges:
        return pd.DataFrame()
    table = thresholds_text.sliced_thresholds_table(tables["thresholds"], ranges, dimension)
    return table.drop(columns=[name for name in table if str(name).startswith("all ")])


def _categories(tables: Tables) -> pd.DataFrame:
    first = [name for names in CATEGORIES.values() for name in names]
    return matrix_text.breakdown_table(tables["metrics"], "category", "accuracy", first=first)


def _balanced(tables: Tables, by: str, unit: str) -> pd.DataFrame:
    return matrix_text.breakdown_table(tables["metrics"], by, "balanced_accuracy", unit)


PAPER_TABLES = {
    "comparison": PaperTable(
        "All variants on the same noisy test trials; “Clean”: accuracy on clips without added "
        "noise. In brackets: 95 % intervals, bootstrapped over groups of recordings.",
        2,
        _comparison,
    ),
    "contrasts": PaperTable(
        "Planned contrasts, and those beside them, on the same test trials: balanced accuracy and "
        "DT75. p: cluster permutation; Holm: over the planned contrasts.",
        1,
        lambda tables: statistics_text.comparisons_table(tables["comparisons"]),
    ),
    "sensitivity": PaperTable(
        "Sensitivity and bias: d′ and criterion c.",
        1,
        lambda tables: statistics_text.sensitivity_table(tables["matrix"]),
    ),
    "strata": PaperTable(
        "Balanced accuracy (%) over all trials and in parts of them.",
        1,
        lambda tables: statistics_text.strata_table(tables["metrics"]),
    ),
    "thresholds_snr": PaperTable(
        "Thresholds along SNR, in dB, over all durations. " + thresholds_text.THRESHOLDS_NOTE,
        1,
        lambda tables: _thresholds(tables, "snr"),
    ),
    "thresholds_duration": PaperTable(
        "Thresholds along duration, in ms, over all SNRs, as in the table before.",
        1,
        lambda tables: _thresholds(tables, "duration"),
    ),
    "dt75_snr": PaperTable(
        "DT75 along SNR, in dB, at each duration.", 1, lambda tables: _sliced(tables, "snr")
    ),
    "dt75_duration": PaperTable(
        "DT75 along duration, in ms, at each SNR.", 1, lambda tables: _sliced(tables, "duration")
    ),
    "by_snr": PaperTable(
        "Balanced accuracy (%) by SNR.", 1, lambda tables: _balanced(tables, "snr_db", "dB")
    ),
    "by_duration": PaperTable(
        "Balanced accuracy (%) by duration.",
        1,
        lambda tables: _balanced(tables, "duration_ms", "ms"),
    ),
    "by_category": PaperTable("Correct decisions (%) by category.", 1, _categories),
    "calibration": PaperTable(
        "Calibration on test, before and after scaling learned on dev: ECE and MCE over 15 bins, "
        "and the Brier score.",
        2,
        lambda tables: matrix_text.calibration_table(tables["matrix"]),
    ),
    "errors": PaperTable(
        "Errors of each variant, and the share of them that no other and that every variant makes.",
        2,
        lambda tables: error_rates_text.common_table(tables["errors_common"]),
    ),
    "latency": PaperTable(
        latency_text.LATENCY_NOTE,
        1,
        lambda tables: latency_text.latency_table(tables["latency"]),
    ),
    "resources": PaperTable(
        latency_text.RESOURCES_NOTE,
        1,
        lambda tables: latency_text.resources_table(tables["latency"], tables["pareto"]),
    ),
}
"""All tables of the paper by name, in their order."""


class Float(NamedTuple):
    """A table or figure as main.tex takes it in: name, caption (LaTeX), and over both columns."""

    name: str
    caption: str
    wide: bool


def tables_of(tables: Tables) -> dict[str, pd.DataFrame]:
    """Return the cells of every table of the paper that has any."""
    made = {name: entry.made(tables) for name, entry in PAPER_TABLES.items()}
    return {name: cells for name, cells in made.items() if len(cells)}


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
    found = re.search(rb"/MediaBox \[ ?[\d.]+ [\d.]+ ([\d.]+) [\d.]+ ?\]", pdf)
    if not found:
        raise ValueError("no MediaBox in this PDF")
    return float(found[1]) / 72


def main_tex(
    *,
    matrix: pd.DataFrame,
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
    floats, figures : sequence of Float
        From `table_floats` and `figure_floats`.
    revision : str
        Git commit of the code, or empty.
    citation : mapping
        Content of ``CITATION.cff``.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    names = {float_.name for float_ in (*floats, *figures)}
    return environment.get_template("main.tex.j2").render(
        variants=[
            {"name": escape(row["variant"]), "macro": camel(row["variant"]), "thresholds": True}
            for _, row in matrix.iterrows()
        ],
        notes=[escape(note) for note in formatting.model_notes(matrix)],
        tables=floats,
        figures=figures,
        names=names,
        revision=escape(revision),
        title=escape(str(citation.get("title", "speechdt"))),
        version=escape(str(citation.get("version", ""))),
        address=str(citation.get("repository-code") or citation.get("url") or ""),
    )
