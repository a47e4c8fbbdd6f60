"""Accuracy by SNR, duration and category."""

from speechdt.corpus.sources import CATEGORIES
from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.matrix_text import breakdown_table


def section(results: Results) -> Section:
    """Return the section; its tables are in percent."""
    metrics, balanced = results.tables["metrics"], "balanced_accuracy"
    by_snr = breakdown_table(metrics, "snr_db", balanced, "dB")
    by_duration = breakdown_table(metrics, "duration_ms", balanced, "ms")
    categories = [name for names in CATEGORIES.values() for name in names]
    by_category = breakdown_table(metrics, "category", "accuracy", first=categories)
    tables = [
        Table("by-snr", "Balanced accuracy (%) by SNR.", by_snr),
        Table("by-duration", "Balanced accuracy (%) by duration.", by_duration),
        Table("by-category", "Correct decisions (%) by category.", by_category),
    ]
    return Section("breakdown", "Breakdown", {"breakdowns": tables})
