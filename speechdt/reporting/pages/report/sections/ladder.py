"""One item at every SNR, to be heard, with the answer of every detector."""

from speechdt.reporting.pages.ladder import ladders
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables import skill


def section(results: Results) -> Section | None:
    """Return the section, or None where no ladder was made."""
    if results.ladder is None or results.ladder.empty:
        return None
    made, addresses = ladders(results.ladder, results.called)
    content = {
        "ladders": made,
        "audio": addresses,
        "variants": results.variants,
        "remarks": skill.words(results.tables["matrix"]),
        "milliseconds": int(results.ladder["duration_ms"].iloc[0]),
    }
    return Section("ladder", "One item at every SNR", content, link="Listen")
