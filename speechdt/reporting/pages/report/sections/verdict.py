"""The verdict on the plan's criteria."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.verdict import Finding
from speechdt.reporting.tables.verdict_text import findings_table


def section(results: Results) -> Section | None:
    """Return the section, or None without ``tables/verdict.csv``."""
    if "verdict" not in results.tables:
        return None
    rows = results.tables["verdict"][list(Finding._fields)]
    cells = findings_table([Finding(*row) for row in rows.itertuples(index=False)])
    criteria = Table("criteria", "The plan's criteria.", cells.drop(columns="Note"))
    return Section("verdict", "Verdict", {"criteria": criteria})
