"""Calibration of P(speech), decision thresholds, and the order of options."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.matrix_text import (
    calibration_table,
    confidence_table,
    decisions_table,
)
from speechdt.reporting.tables.prompts_text import order_bias_table


def section(results: Results) -> Section:
    """Return the section; without the order of options if no variant is asked in words."""
    matrix = results.tables["matrix"]
    caption = "Calibration on test, before and after scaling learned on dev."
    made = [Table("reliability-errors", caption, calibration_table(matrix))]
    caption = "What was learned on dev, and what it does on test."
    cells = decisions_table(matrix, results.calibrations)
    made.append(Table("decisions", caption, cells))
    caption = "Confidence on test, after Platt scaling."
    made.append(Table("confidence", caption, confidence_table(matrix)))
    if "order_bias" in results.tables:
        caption = (
            "What the order of the two options does on dev: the log-odds by which the prompt's own "
            "order favours SPEECH (± standard deviation over clips), the answers that change, the "
            "probability that either answer is given at all (below a half, marked by an "
            "exclamation mark, a model would rather say something else), and how good each "
            "order is."
        )
        cells = order_bias_table(results.tables["order_bias"])
        made.append(Table("option-order", caption, cells))
    return Section("calibration", "Calibration", {"calibration": made})
