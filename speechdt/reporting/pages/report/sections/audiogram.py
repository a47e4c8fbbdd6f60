"""The first figure: speech detected against SNR, with notes on few groups, origins and skill."""

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
