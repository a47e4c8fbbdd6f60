"""Recordings, items, the leak audit, hygiene, and files that were not used."""

import pandas as pd

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.hygiene import sentences
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.data_text import (
    audit_table,
    faults_table,
    items_table,
    rejected_table,
    sources_table,
)

MOST_REJECTED = 100
"""Rejected files that the page lists; the CSV file lists all."""


def section(results: Results) -> Section:
    """Return the section; without hygiene if there are no checks."""
    rejected = results.tables["rejected"]
    hygiene = results.tables.get("hygiene")
    content = {
        "sources": Table(
            "sources", "Recordings (groups) in each split.", sources_table(results.sources)
        ),
        "items": Table(
            "items",
            "Items of each split: each is one clip in every cell of SNR and duration.",
            items_table(results.items),
        ),
        "audit": Table(
            "audit",
            "Distinct sources, groups and audios compared between splits; none is in two.",
            audit_table(results.tables["audit"]),
        ),
        "faults": _faults(results.sources),
        "joined": _joined(results.tables.get("near_duplicates")),
        "hygiene": [] if hygiene is None else sentences(hygiene, results.tables["metrics"]),
        "figures": results.drawings("data"),
        "contradicted": _contradicted(results),
        "rejected": _rejected(rejected),
        "rejected_count": len(rejected),
    }
    return Section("data", "Data", content)


def _faults(sources: pd.DataFrame) -> Table | None:
    if "faults" not in sources or not sources["faults"].any():
        return None
    title = "Recordings with a fault, and the share of their class."
    return Table("faults", title, faults_table(sources))


def _joined(pairs: pd.DataFrame | None) -> str:
    """Return a sentence on recordings that share audio."""
    if pairs is None:
        return ""
    if pairs.empty:
        return "No two recordings of different groups hold nearly the same audio."
    groups = len({*pairs["group_id"], *pairs["other_group_id"]})
    return (
        f"{len(pairs):,} pairs of recordings in {groups:,} groups hold nearly the same audio; such "
        "groups were joined before the split (corpus/near_duplicates.csv)."
    )


def _rejected(rejected: pd.DataFrame) -> Table | None:
    if rejected.empty:
        return None
    cells = rejected_table(rejected.head(MOST_REJECTED))
    return Table("rejected", "Files that were not used.", cells)


def _contradicted(results: Results) -> str:
    """Return a sentence on recordings whose label detectors contradict, or '' without an audit."""
    listed = results.tables.get("to_hear")
    if listed is None:
        return ""
    if listed.empty:
        return "There is no recording whose label all ready-made detectors contradict."
    counts = ", ".join(f"{n:,} {label}" for label, n in listed["label"].value_counts().items())
    return (
        f"All ready-made detectors contradict the label of {len(listed):,} of the recordings of "
        f"dev and test ({counts}) in every trial at the highest SNR and without noise. "
        "corpus/to_hear.csv lists them, and corpus/inspect.html begins with them: a label may be "
        "wrong, or a recording too hard for all. None is removed unless a listener marks it; "
        "Robustness has the figures without them."
    )
