"""Dependence of the comparison on bias, threshold, labels, bandwidth and give-aways."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables import origins_text, statistics_text

TABLES = {
    "sensitivity": (
        "matrix",
        statistics_text.sensitivity_table,
        "Sensitivity and bias: d′ and criterion c.",
    ),
    "strata": (
        "metrics",
        statistics_text.strata_table,
        "Balanced accuracy (%) over all trials and in parts of them.",
    ),
    "moved-thresholds": (
        "threshold_sensitivity",
        statistics_text.moved_threshold_table,
        "Balanced accuracy (%) with the threshold moved so that 5 or 10 points more, or fewer, of "
        "dev's clips are called SPEECH; and at the threshold that would have been best on test.",
    ),
    "giveaways": (
        "giveaways",
        statistics_text.giveaways_table,
        "Trivial classifiers, trained on train: logistic regressions on level, bandwidth or mean "
        "spectrum alone, and on log-mel statistics; one that recognises the origin of a clip and "
        "answers with the share of SPEECH of that origin in train; and that share itself, for the "
        "true origin of the target, and of the background.",
    ),
    "origins": (
        "origins",
        origins_text.origins_table,
        "AUC over all pairs of trials, and over pairs of one origin; seen: of origins that train "
        "or dev has too; unseen: of origins that nothing was learned from.",
    ),
}
"""Tables of the section by id: the table that each is made from, by which function, and caption."""


def section(results: Results) -> Section:
    """Return the section; tables that the run does not have are left out."""
    made = [
        Table(name, caption, cells(results.tables[source]))
        for name, (source, cells, caption) in TABLES.items()
        if source in results.tables
    ]
    return Section("robustness", "Robustness", {"robustness": made})
