"""Citation of the software as one line and as BibTeX, from CITATION.cff."""

from collections.abc import Mapping
from typing import Any


def reference(citation: Mapping[str, Any]) -> str:
    """Return a citation as one line: authors (year). Title (version). DOI or URL."""
    if not citation:
        return ""
    year = _year(citation)
    authors = ", ".join(_authors(citation)) + (f" ({year})" if year else "")
    title = str(citation["title"])
    if "version" in citation:
        title += f" (version {citation['version']})"
    where = f"https://doi.org/{citation['doi']}" if "doi" in citation else _address(citation)
    return ". ".join(part for part in (authors, title, where) if part) + "."


def bibtex(citation: Mapping[str, Any]) -> str:
    """Return a citation as a BibTeX entry."""
    if not citation:
        return ""
    people = citation.get("authors", [])
    authors = [
        name if "family-names" in author else f"{{{name}}}"  # else BibTeX takes it for a person
        for author, name in zip(people, _authors(citation), strict=True)
    ]
    fields = {
        "author": " and ".join(authors),
        "title": f"{{{citation['title']}}}",
        "version": citation.get("version"),
        "year": _year(citation),
        "doi": citation.get("doi"),
        "url": _address(citation),
    }
    lines = [f"  {name:<7} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join(["@software{speechdt,", *lines, "}"])


def _authors(citation: Mapping[str, Any]) -> list[str]:
    names = []
    for author in citation.get("authors", []):
        family = str(author.get("family-names") or author.get("name") or author.get("alias", ""))
        given = author.get("given-names")
        names.append(f"{family}, {given}" if given else family)
    return names


def _year(citation: Mapping[str, Any]) -> str:
    return str(citation.get("date-released", ""))[:4]


def _address(citation: Mapping[str, Any]) -> str:
    return str(citation.get("repository-code") or citation.get("url") or "")
