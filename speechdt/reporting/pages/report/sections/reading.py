"""Explanations of the measures, for a reader who is new to them."""

from speechdt.reporting.pages.report.section import Results, Section


def section(results: Results) -> Section:
    """Return the section, the same for every run."""
    return Section("reading", "How to read it", {})
