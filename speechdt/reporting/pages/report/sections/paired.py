"""Planned contrasts between variants."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.statistics_text import comparisons_table


def section(results: Results) -> Section | None:
    """Return the section, or None if the run has no variants of a planned contrast."""
    cells = comparisons_table(results.tables["comparisons"])
    if cells.empty:
        return None
    caption = "Planned contrasts on the same test trials: AUC, then balanced accuracy and DT75."
    contrasts = Table("contrasts", caption, cells)
    return Section("paired", "Paired comparisons", {"contrasts": contrasts})
