"""Hit rates at few false alarms, vendors' thresholds, and the cost of detection."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.operating_points_text import curve_table, thresholds_table


def section(results: Results) -> Section | None:
    """Return the section, or None without ``tables/operating_points.csv``."""
    points = results.tables.get("operating_points")
    if points is None:
        return None
    content = {
        "curves": Table("few-false-alarms", "Hit rates at few false alarms.", curve_table(points)),
        "thresholds": Table(
            "deployed",
            "At the threshold learned on dev, and at the vendor's default.",
            thresholds_table(points),
        ),
    }
    return Section("operating-points", "Operating points", content)
