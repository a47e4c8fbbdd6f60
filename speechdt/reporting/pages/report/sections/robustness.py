"""Dependence of the comparison on bias, threshold, labels, bandwidth and give-aways."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables import statistics_text


def section(results: Results) -> Section:
    """Return the section; tables that the run does not have are left out."""
    tables = results.tables
    cells = statistics_text.sensitivity_table(tables["matrix"])
    made = [Table("sensitivity", "Sensitivity and bias: d′ and criterion c.", cells)]
    cells = statistics_text.strata_table(tables["metrics"])
    caption = "Balanced accuracy (%) over all trials and in parts of them."
    made.append(Table("strata", caption, cells))
    if "threshold_sensitivity" in tables:
        cells = statistics_text.moved_threshold_table(tables["threshold_sensitivity"])
        caption = (
            "Balanced accuracy (%) with the threshold moved, so that so many points more of dev's "
            "clips are called SPEECH; and at the threshold that would have been best on test."
        )
        made.append(Table("moved-thresholds", caption, cells))
    if "giveaways" in tables:
        cells = statistics_text.giveaways_table(tables["giveaways"])
        caption = (
            "How much the trials give away: logistic regressions on level, bandwidth or mean "
            "spectrum alone, and on log-mel statistics, trained on train."
        )
        made.append(Table("giveaways", caption, cells))
    return Section("robustness", "Robustness", {"robustness": made})
