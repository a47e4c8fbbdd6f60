"""Adapters: their settings and results."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.training_text import adapters_text


def section(results: Results) -> Section | None:
    """Return the section, or None if nothing is fine-tuned."""
    if "adapters" not in results.tables:
        return None
    cells = adapters_text(results.tables["adapters"])
    adapters = Table("adapters", "Adapters: settings, and what came of them.", cells)
    return Section("training", "Training", {"adapters": adapters})
