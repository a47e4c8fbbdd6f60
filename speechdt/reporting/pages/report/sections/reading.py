"""Explanations of the measures, for a reader who is new to them."""

from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.names import legend


def section(results: Results) -> Section:
    """Return the section, the same for every run but for the names of the variants."""
    return Section("reading", "How to read it", {"keys": legend(results.names)})
