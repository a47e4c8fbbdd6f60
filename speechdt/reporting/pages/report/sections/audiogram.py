"""The first figure: speech heard against SNR, and what the size of the data lets it say."""

from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables import enough, origins_text, skill


def section(results: Results) -> Section:
    """Return the section."""
    origins = results.tables.get("origins")
    content = {
        "figures": results.drawings("audiogram"),
        "warnings": enough.warnings(results.sources, results.items),
        "of_origins": [] if origins is None else origins_text.notes(origins),
        "marked": skill.sentences(results.tables["matrix"]),
    }
    return Section("audiogram", "Who hears speech in how much noise?", content, link="Audiogram")
