"""The order of the ready-made detectors, in three sentences."""

from speechdt.reporting.pages.report.ranking import sentences
from speechdt.reporting.pages.report.section import Results, Section


def section(results: Results) -> Section | None:
    """Return the section, or None where fewer than two detectors are ready-made."""
    if "operating_points" not in results.tables:
        return None
    backends = results.tables["matrix"].set_index("variant")["backend"]
    lines = sentences(results.tables["operating_points"], backends)
    if not lines:
        return None
    return Section("summary", "In short", {"sentences": lines}, link="Summary")
