"""The comparison matrix of all variants."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.formatting import model_notes
from speechdt.reporting.tables.matrix_text import matrix_table


def section(results: Results) -> Section:
    """Return the section."""
    matrix = results.tables["matrix"]
    cells = matrix_table(matrix, results.tables["latency"], results.ranges)
    content = {
        "notes": model_notes(matrix),
        "matrix": Table("comparison", "All variants on the same test trials.", cells),
    }
    return Section("matrix", "Comparison matrix", content, link="Comparison")
