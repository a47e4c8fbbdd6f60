"""Which detector for my clips? The cheapest for a chosen SNR, duration, background and cost."""

from typing import Any

import pandas as pd

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables import cases_text, skill

CHOICES = {
    "snr_db": "SNR",
    "duration_ms": "Duration",
    "background": "Background",
    "false_alarm_cost": "A false alarm costs",
}
"""What a reader chooses, by the column of ``cases.csv``."""


def section(results: Results) -> Section | None:
    """Return the section, or None without ``tables/cases.csv``."""
    cases = results.tables.get("cases")
    if cases is None or cases.empty:
        return None
    caption = "All clips in noise of the plan's levels; a false alarm costs as much as a miss."
    remarks = skill.words(results.tables["matrix"])
    content = {
        "choices": [
            (column, title, cases_text.options(cases, column)) for column, title in CHOICES.items()
        ],
        "ranking": Table("ranking", caption, cases_text.ranking(cases)),
        "data": packed(cases, results.variants) | {"remarks": remarks},
    }
    return Section("chooser", "Which detector for my clips?", content, link="Chooser")


def packed(cases: pd.DataFrame, variants: list[str]) -> dict[str, Any]:
    """Return all cases for the page's script: numbers in ten-thousandths, a list for each case.

    Returns
    -------
    dict
        variants; columns, what each number is; and rows: by the case's levels, joined by ``|``, its
        variants in the order of their cost, each a list of the place among `variants`, n, groups,
        and the figures.
    """
    levels = cases_text.levels(cases)
    figures = (10_000 * cases[list(cases_text.FIGURES)]).round()
    place = {name: number for number, name in enumerate(variants)}
    rows: dict[str, list[list[int | None]]] = {}
    columns = ("variant", "n", "groups")
    for key, about, of in zip(
        map("|".join, levels.itertuples(index=False, name=None)),
        cases[list(columns)].itertuples(index=False, name=None),
        figures.itertuples(index=False, name=None),
        strict=True,
    ):
        variant, n, groups = about
        numbers = [None if pd.isna(number) else int(number) for number in of]
        rows.setdefault(key, []).append([place[variant], int(n), int(groups), *numbers])
    return {"variants": variants, "columns": [*columns, *cases_text.FIGURES], "rows": rows}
