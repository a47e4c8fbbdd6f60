"""Versions of one detector on the same trials."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.operating_points_text import kept_threshold_table, versions_table


def section(results: Results) -> Section | None:
    """Return the section, or None where no versions are compared."""
    versions = results.tables.get("versions")
    if versions is None or versions.empty:
        return None
    content = {
        "scores": Table(
            "versions-scores",
            "AUC, correlation of scores, and threshold learned on dev.",
            versions_table(versions),
        ),
        "kept": Table(
            "versions-kept",
            "An upgrade with the threshold moved, and with the threshold kept.",
            kept_threshold_table(versions),
        ),
    }
    return Section("detector-versions", "Versions of one detector", content, link="Versions")
