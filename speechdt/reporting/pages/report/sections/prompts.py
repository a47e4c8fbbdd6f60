"""Prompt searches: their worth, the prompts that they found, and the bank."""

from collections.abc import Mapping, Sequence
from typing import Any

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.prompts_text import (
    BANK_NOTE,
    SEARCHES_NOTE,
    bank_display,
    first_lines,
    searches_table,
)


def section(results: Results) -> Section | None:
    """Return the section, or None if no prompt was searched for."""
    if "searches" not in results.tables:
        return None
    searches = results.tables["searches"]
    bank = bank_display(results.tables["prompts"])
    content = {
        "lines": first_lines(searches),
        "searches": Table("searches", "What searching was worth.", searches_table(searches)),
        "searches_note": SEARCHES_NOTE,
        "winners": winners(results.searches),
        "figures": results.drawings("prompts"),
        "bank": Table("bank", "The prompts of the bank, on dev.", bank),
        "bank_note": BANK_NOTE,
    }
    return Section("prompts", "Prompts", content)


def winners(searches: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return a description and the text of the winner of each search and of its random search.

    Parameters
    ----------
    searches : sequence of mappings
        Content of ``prompts/{search}.json``.
    """
    return [
        (_described(search, arm["winner"], what), arm["winner"]["prompt"])
        for search in searches
        for what, arm in (("search", search), ("random search", search["control"]))
    ]


def _described(search: Mapping[str, Any], prompt: Mapping[str, Any], what: str) -> str:
    origin = f"the bank's “{prompt['name']}”" if prompt["name"] else f"step {prompt['step']}"
    return f"{search['search']}, {what} ({origin})"
