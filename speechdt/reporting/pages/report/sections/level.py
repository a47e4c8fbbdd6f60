"""Level and other choices on dev: how each variant hears, and AUC against level."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.levels_text import levels_table, presentations_table


def section(results: Results) -> Section | None:
    """Return the section, or None if no variant has a detector of its own."""
    if "levels" not in results.tables or results.tables["levels"].empty:
        return None
    presented = presentations_table(results.tables["presentations"])
    along = levels_table(results.tables["levels"])
    content = {
        "presentations": Table("presentations", "How each variant hears, as dev chose.", presented),
        "levels": Table("auc-at-levels", "AUC on dev at each level, in dBFS rms.", along),
    }
    return Section("level", "Level and choices on dev", content, link="Level")
