"""Rejected recordings, summarised by reason."""

import re

import pandas as pd

COLUMNS = ["path", "source_id", "reason"]
"""Of a table of recordings that are not used."""
MOST_REASONS = 6
"""Reasons that a summary names; the table of rejected recordings has all."""
_ONE_OF_MANY = (
    (r"same audio as .*", "same audio as another"),
    (r"missing, though .*", "missing, though it is listed"),
    (r"not readable as audio \(.*", "not readable as audio"),
    (r"ends before the region of .*", "ends before its region"),
    (r"expected in speech/.*", "not in speech/… or nonspeech/<category>/…"),
    (r"(\w+: not read by libsndfile); convert it.*", r"\1; convert it, or install PyAV"),
    (r" ?\(the corpus option .*", ""),
)
"""Reasons that name their file, and what is said of several."""


def kind(reason: str) -> str:
    """Return a reason without what differs from file to file."""
    for pattern, common in _ONE_OF_MANY:
        reason = re.sub(pattern, common, reason)
    return reason


def summary(rejected: pd.DataFrame, listed: int) -> list[str]:
    """Return how many recordings are not used and why, a line each.

    Parameters
    ----------
    rejected : DataFrame
        source_id, reason.
    listed : int
        Recordings in all, usable ones included.
    """
    if rejected.empty:
        return []
    reasons = rejected["reason"].map(kind)
    counts = reasons.value_counts()
    lines = [f"{len(rejected):,} of {listed:,} recordings are not used (corpus/rejected.csv):"]
    for reason, count in counts.head(MOST_REASONS).items():
        example = rejected.loc[reasons == reason, "source_id"].iloc[0]
        lines.append(f"  {count:,}: {reason}, such as {example}")
    if len(counts) > MOST_REASONS:
        lines.append(f"  {counts.iloc[MOST_REASONS:].sum():,}: other reasons")
    return lines


def in_short(rejected: pd.DataFrame, listed: int) -> str:
    """Return the same in half a sentence, '' if all are used."""
    if rejected.empty:
        return ""
    counts = rejected["reason"].map(kind).value_counts().head(2)
    named = ", ".join(f"{count:,}: {reason}" for reason, count in counts.items())
    return f"{len(rejected):,} of {listed:,} recordings are not used ({named})"
