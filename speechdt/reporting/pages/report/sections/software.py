"""Git revision and versions of the packages."""

from speechdt.reporting.pages.report.section import Results, Section


def section(results: Results) -> Section:
    """Return the section."""
    content = {
        "revision": results.revision,
        "versions": results.versions,
        "accepted": results.accepted,
    }
    return Section("software", "Software", content)
