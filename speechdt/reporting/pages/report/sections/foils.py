"""Foils: false alarms on sounds of people that are no speech."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.foils_text import foils_table


def section(results: Results) -> Section | None:
    """Return the section, or None if the run played no foils."""
    if "foils" not in results.tables or results.tables["foils"].empty:
        return None
    caption = "How often each variant says SPEECH to foils (%)."
    content = {"foils": Table("foils", caption, foils_table(results.tables["foils"]))}
    return Section("foils", "Laughing, singing and other foils", content, link="Foils")
