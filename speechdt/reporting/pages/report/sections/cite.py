"""The citation of the software."""

from speechdt.reporting.pages.citation import bibtex, reference
from speechdt.reporting.pages.report.section import Results, Section


def section(results: Results) -> Section:
    """Return the section."""
    citation = results.citation
    content = {"citation": reference(citation), "bibtex": bibtex(citation)}
    return Section("cite", "How to cite", content)
