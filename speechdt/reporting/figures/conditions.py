"""Shift of DT75 by condition: one row a detector, its points in groups by axis."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from speechdt.reporting.figures.style import (
    PAGE,
    PALE,
    SMALL,
    Look,
    looks,
    message,
    styled,
)
from speechdt.reporting.tables.conditions_text import NEUTRAL, condition_name

SHOWN_DB = 15.0
"""Shifts beyond are at the edge, as arrows."""
GAP = 0.8
"""Between the groups of two axes, in conditions."""
SIGNIFICANT = ("gain", "loss")


def conditions(conditions: pd.DataFrame, variants: Sequence[str]) -> Figure:
    """Draw the shift of DT75 in each condition against the neutral one, one row a detector.

    Parameters
    ----------
    conditions : DataFrame
        The table of this name.
    variants : sequence of str
        All variants; those that heard no condition have no row.
    """
    others = conditions[conditions["axis"] != NEUTRAL]
    drawn = [name for name in variants if name in set(others["variant"])]
    if not drawn:
        return message("No variant was played conditions.")
    look = looks(variants)
    places, names = _places(others)
    limit = min(_extent(others), SHOWN_DB)
    with styled():
        figure = Figure(figsize=(PAGE, 0.95 * len(drawn) + 1.1), layout="constrained")
        panels = figure.subplots(len(drawn), 1, squeeze=False, sharex=True, sharey=True)[:, 0]
        for panel, variant in zip(panels, drawn, strict=True):
            _row(panel, others[others["variant"] == variant], places, look[variant], limit)
            panel.set_title(variant, fontweight="bold", pad=2)
        panels[-1].set_xticks(list(places.values()), names, rotation=40, ha="right")
        figure.supylabel("Shift of DT75 (dB); above 0: harder", fontsize=8)
        return figure


def _places(others: pd.DataFrame) -> tuple[dict[str, float], list[str]]:
    """Return where each condition stands, and its name."""
    first = others.drop_duplicates("condition")
    places, names, at, before = {}, [], 0.0, None
    for _, row in first.iterrows():
        at += GAP if before not in (None, row["axis"]) else 0
        places[str(row["condition"])] = at
        name = condition_name(row)
        unit = {"room": " s", "level": " dBFS"}.get(str(row["axis"]), "")
        names.append(name + unit)
        at, before = at + 1, row["axis"]
    return places, names


def _row(axes: Axes, of: pd.DataFrame, places: dict[str, float], look: Look, limit: float) -> None:
    axes.axhline(0, color=PALE, lw=0.6, zorder=0)
    for _, row in of.iterrows():
        x, shift = places[str(row["condition"])], float(row["dt75_shift_db"])
        why = row["dt75_shift_db_censored"]
        if why == "undefined":
            axes.annotate(
                "undefined",
                (x, 0),
                ha="center",
                va="center",
                rotation=90,
                fontsize=SMALL,
                color=PALE,
                bbox={"fc": "white", "ec": "none", "pad": 0.5},
            )
            continue
        if why:
            shift = limit if why == ">" else -limit
        ends = np.clip([row["dt75_shift_db_low"], row["dt75_shift_db_high"]], -limit, limit)
        if not np.isnan(ends).any() and ends[1] - ends[0] < 2 * limit:  # else it says nothing
            axes.plot([x, x], ends, color=look.color, lw=0.8, zorder=2)
        filled = look.color if row["verdict"] in SIGNIFICANT else "white"
        shown = float(np.clip(shift, -limit, limit))
        marker = "o" if not why and shown == shift else "^" if shift > 0 else "v"
        axes.plot(x, shown, marker=marker, color=look.color, mfc=filled, ms=4.5, zorder=3)


def _extent(of: pd.DataFrame) -> float:
    columns = ["dt75_shift_db", "dt75_shift_db_low", "dt75_shift_db_high"]
    values = of[columns].to_numpy(dtype=float)
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) + 0.5 if len(finite) else 1.0
