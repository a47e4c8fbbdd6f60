"""The figures that belong to no other section."""

from speechdt.reporting.pages.report.section import Results, Section


def section(results: Results) -> Section:
    """Return the section."""
    return Section("figures", "Figures", {"figures": results.drawings("figures")})
