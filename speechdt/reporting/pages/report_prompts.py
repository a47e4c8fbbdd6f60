"""The report's section on prompts: what searches were worth, what they found, and the bank."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from speechdt.reporting.figures.prompts import CAPTION
from speechdt.reporting.pages.parts import Drawing, Table, data_uri, width
from speechdt.reporting.tables.prompts_text import (
    BANK_NOTE,
    SEARCHES_NOTE,
    bank_display,
    first_lines,
    searches_table,
)


class PromptSection(NamedTuple):
    """What the section shows.

    Attributes
    ----------
    lines : list of str
        What each search gained over random search, before all else.
    searches, bank : Table
    found : list of (str, str)
        What a prompt is, and its text.
    drawing : Drawing
    notes : tuple of str
        Below the tables.
    """

    lines: list[str]
    searches: Table
    found: list[tuple[str, str]]
    drawing: Drawing
    bank: Table
    notes: tuple[str, str]


def prompt_section(
    bank: pd.DataFrame, searches: pd.DataFrame, found: Sequence[Mapping[str, Any]], svg: str
) -> PromptSection:
    """Return the section.

    Parameters
    ----------
    bank, searches : DataFrame
        ``tables/prompts.csv`` and ``tables/searches.csv``.
    found : sequence of mappings
        Content of ``prompts/{search}.json``.
    svg : str
        The figure.
    """
    drawing = Drawing("prompts", "Prompts of the bank", CAPTION, data_uri(svg), width(svg))
    return PromptSection(
        first_lines(searches),
        Table("searches", "What searching was worth.", searches_table(searches)),
        [
            (_described(search, arm["winner"], what), arm["winner"]["prompt"])
            for search in found
            for what, arm in (("search", search), ("random search", search["control"]))
        ],
        drawing,
        Table("bank", "The prompts of the bank, on dev.", bank_display(bank)),
        (SEARCHES_NOTE, BANK_NOTE),
    )


def _described(search: Mapping[str, Any], prompt: Mapping[str, Any], what: str) -> str:
    origin = f"the bank's “{prompt['name']}”" if prompt["name"] else f"step {prompt['step']}"
    return f"{search['search']}, {what} ({origin})"
