"""Losses on a corpus that was left out of training."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.statistics_text import LEFT_OUT_NOTE, left_out_table


def section(results: Results) -> Section | None:
    """Return the section, or None if no corpus was left out."""
    if "leave_one_out" not in results.tables:
        return None
    cells = left_out_table(results.tables["leave_one_out"])
    caption = "On the test trials of a corpus: variants with it in training, and without it."
    content = {"left_out": Table("left-out", caption, cells), "note": LEFT_OUT_NOTE}
    return Section("leave-one-out", "Leave one corpus out", content)
