"""The verdict on the plan's criteria."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.names import legend
from speechdt.reporting.tables.verdict import FOR_READER, NOT_RUN, Finding
from speechdt.reporting.tables.verdict_text import findings_table


def section(results: Results) -> Section | None:
    """Return the section, or None where no criterion could be judged."""
    if "verdict" not in results.tables:
        return None
    rows = results.tables["verdict"][list(Finding._fields)]
    if set(rows["verdict"]) <= {NOT_RUN, FOR_READER}:
        return None
    cells = findings_table([Finding(*row) for row in rows.itertuples(index=False)])
    criteria = Table("criteria", "The plan's criteria.", cells.drop(columns="Note"))
    content = {"criteria": criteria, "keys": legend(results.names)}
    return Section("verdict", "Verdict", content)
