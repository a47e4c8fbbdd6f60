"""The first figure: speech heard against SNR, and what the size of the data lets it say."""

from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables import enough, skill


def section(results: Results) -> Section:
    """Return the section."""
    content = {
        "figures": results.drawings("audiogram"),
        "warnings": enough.warnings(results.sources, results.items),
        "marked": skill.sentences(results.tables["matrix"]),
    }
    return Section("audiogram", "Who hears speech in how much noise?", content, link="Audiogram")
