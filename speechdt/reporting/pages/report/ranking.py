"""Three sentences: the order of the ready-made detectors by metric, duration and background.

The order is of measured values. Whether a detector is better than the next one is a matter of their
paired comparison, not of these sentences.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from speechdt.reporting.tables.formatting import decimal, percent
from speechdt.reporting.tables.operating_points import at, levels

SHORT = "300"
"""Duration in ms that the second sentence looks at; the shortest, where the grid lacks it."""

MOST_PASSED = 2
"""With more detectors that pass others than these, the whole order is said."""
MOST_LISTED = 5
"""With more detectors than these, of the order in a background its beginning alone."""
FIRST = 3


def sentences(points: pd.DataFrame, backends: pd.Series) -> list[str]:
    """Return the sentences; none where fewer than two detectors are ready-made.

    Parameters
    ----------
    points : DataFrame
        ``tables/operating_points.csv``.
    backends : Series of str
        Backend of each variant, by variant.
    """
    points = points[points["ready_made"].astype(bool)]
    whole = at(points)
    if len(whole) < 2:
        return []
    order = _order(whole, "auc")
    named = [
        f"{name} ({backends[name]}) {decimal(row, 'auc')}" for name, row in _rows(whole, order)
    ]
    backgrounds = [
        f"in {_background(level)} {_leader(order, at(points, 'background', level))}"
        for level in levels(points, "background")
        if _order(at(points, "background", level), "auc")  # not where a class has no trial
    ]
    return [
        f"By AUC on these recordings the order of the ready-made detectors is {_listed(named)}.",
        f"By the hit rate at 10 % false alarms {_by_hits(order, whole)}; "
        f"{_when_short(order, points)}.",
        f"By AUC in each background: {'; '.join(backgrounds)}.",
    ][: 3 if backgrounds else 2]


def _order(table: pd.DataFrame, metric: str) -> list[str]:
    """Return the variants that have a value, the best first."""
    measured = table.dropna(subset=[metric])
    return list(measured.sort_values(metric, ascending=False, kind="stable")["variant"].astype(str))


def _rows(table: pd.DataFrame, order: Iterable[str]) -> list[tuple[str, Any]]:
    by_name = table.set_index("variant")
    return [(name, by_name.loc[name]) for name in order]


def _by_hits(order: Sequence[str], whole: pd.DataFrame) -> str:
    now = _order(whole, "hit_far10")
    if not now:
        return "nothing can be said, since there are too few NONSPEECH trials"
    figures = [f"{name} {percent(row, 'hit_far10')} %" for name, row in _rows(whole, now)]
    return f"{_kept(order, now)}: {_listed(figures)}"


def _when_short(order: Sequence[str], points: pd.DataFrame) -> str:
    durations = levels(points, "duration_ms")
    if not durations:
        return "there is one duration alone"
    short = SHORT if SHORT in durations else durations[0]
    table = at(points, "duration_ms", short)
    now = _order(table, "auc")
    figures = [f"{name} {decimal(row, 'auc')}" for name, row in _rows(table, now)]
    return f"at {short} ms, by AUC, {_kept(order, now)}: {_listed(figures)}"


def _kept(order: Sequence[str], now: Sequence[str]) -> str:
    return "the order is the same" if list(order) == list(now) else "the order changes"


def _leader(order: Sequence[str], table: pd.DataFrame) -> str:
    """Say who leads in a slice, and who passes whom there."""
    now = _order(table, "auc")
    order = [name for name in order if name in now]
    figures = {name: decimal(row, "auc") for name, row in _rows(table, now)}
    passed = [
        (late, early)
        for place, early in enumerate(order)
        for late in order[place + 1 :]
        if now.index(late) < now.index(early)
    ]
    if len(passed) > MOST_PASSED:
        shown = now if len(now) <= MOST_LISTED else now[:FIRST]
        listed = _listed([f"{name} {figures[name]}" for name in shown])
        pairs = len(now) * (len(now) - 1) // 2
        rest = f" come first, and {len(passed)} of {pairs} pairs stand the other way round"
        return f"the order is {listed}" if shown == now else f"{listed}{rest}"
    leader = now[0]
    overtaken = [early for late, early in passed if late == leader]
    others = [pair for pair in passed if pair[0] != leader]
    # Each with its interval where it is named first.
    named: dict[str, str] = {}
    for name in (leader, *overtaken, *(name for pair in others for name in pair)):
        named.setdefault(name, f"{name} {figures[name]}")
    lead = f"{named.pop(leader)} leads"
    if not passed:
        return f"{lead}, and the order is the same"
    if overtaken:
        lead += f" ahead of {_listed([named.pop(name) for name in overtaken])}"
    parts = [f"{named.pop(late, late)} passes {named.pop(early, early)}" for late, early in others]
    return f"{lead}, while {_listed(parts)}" if parts else lead


def _background(level: str) -> str:
    name = level.replace("_", "-")
    return "recorded noise" if level == "recording" else f"{name} noise"


def _listed(parts: Sequence[str]) -> str:
    """Join parts by commas and a last “and”."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
