"""The corpus at a glance: speakers, minutes, origins, levels, and unused recordings by reason."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables import data_text


def section(results: Results) -> Section:
    """Return the section; without origins or reasons if the run has none."""
    left_out = results.tables.get("left_out")
    rejected = results.tables["rejected"]
    reasons = data_text.reasons_table(rejected, left_out)
    made = [
        Table(
            "corpus-overview",
            "Recordings of each category: groups (speakers, or families of recordings), origins, "
            "minutes, and peak level as recorded.",
            data_text.overview_table(results.sources),
        )
    ]
    if "origin" in results.sources:
        caption = "Origins: the corpora and packages that recordings come from."
        cells = data_text.origins_overview(results.sources)
        made.append(Table("corpus-origins", caption, cells))
    if len(reasons):
        caption = "Recordings that are not used, by reason."
        made.append(Table("unused", caption, reasons))
    return Section("overview", "The corpus", {"overview": made}, link="Corpus")
