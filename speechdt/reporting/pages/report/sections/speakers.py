"""Misses by speaker and by language, and false alarms by category."""

import pandas as pd

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables import error_rates_text as tables


def section(results: Results) -> Section | None:
    """Return the section, or None without ``tables/errors.csv``."""
    rates = results.tables.get("errors")
    if rates is None:
        return None
    content = {
        "languages": _table(rates, "language", "Language", "Missed speech (%) by language."),
        "speakers": _speakers(rates),
    }
    if not any(content.values()):
        return None
    return Section("speakers", "By speaker and language", content, link="Speakers")


def _table(rates: pd.DataFrame, by: str, heading: str, caption: str) -> Table | None:
    cells = tables.rate_table(rates, tables.MISSED, by, heading)
    return Table(f"missed-{by}", caption, cells) if len(cells) > 1 else None


def _speakers(rates: pd.DataFrame) -> Table | None:
    worst = tables.worst_first(rates, tables.MISSED, "group_id")
    caption = (
        "Missed speech (%) by speaker (or family of recordings), the most often missed first; "
        "intervals over the speaker's recordings."
    )
    return _table(worst, "group_id", "Speaker", caption)
