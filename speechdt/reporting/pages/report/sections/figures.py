"""The figures that belong to no other section."""

from speechdt.reporting.pages.report.section import Results, Section


def section(results: Results) -> Section:
    """Return the section."""
    return Section(
        "figures",
        "Curves and other figures",
        {"figures": results.drawings("figures")},
        link="Figures",
    )
