"""Thresholds below psychometric curves: one row a variant, on the x-axis of the curves."""

from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.markers import CARETLEFT, CARETRIGHT

from speechdt.reporting.figures.levels import EDGE, Scale
from speechdt.reporting.figures.style import INK, PALE, SMALL, Look
from speechdt.reporting.tables.formatting import ROUNDING, Threshold, level

ROOM = 0.24
"""Share of the range that the label of a threshold takes."""

CARETS = (CARETLEFT, CARETRIGHT)
"""Marks at the edge for a threshold, or the end of its interval, beyond the tested range."""


class Mark(NamedTuple):
    """One kind of threshold in a strip.

    Attributes
    ----------
    kind, name : str
        Kind of the curve, and which of its thresholds (``dt50`` or ``dt75``).
    filled : bool
        Of the marker.
    offset : float
        Below the middle of the variant's row, whose height is 1.
    """

    kind: str
    name: str
    filled: bool
    offset: float = 0.0


BESIDE = (Mark("detection", "dt75", False, -0.22), Mark("accuracy", "dt75", True, 0.22))
"""Thresholds that depend on a detector's own decision threshold."""


def of_kind(kind: str) -> tuple[Mark, Mark]:
    """Return the marks of DT50 and DT75 of a kind of curve."""
    return Mark(kind, "dt50", False, -0.22), Mark(kind, "dt75", True, 0.22)


def strip(
    axes: Axes,
    thresholds: pd.DataFrame,
    marks: tuple[Mark, ...],
    look: dict[str, Look],
    scale: Scale,
) -> None:
    """Draw the thresholds of all variants with their intervals.

    Parameters
    ----------
    axes : Axes
        Shares its x-axis with the curves.
    thresholds : DataFrame
        Of one dimension, pooled over the other.
    marks : tuple of Mark
        What to draw in each row.
    look : dict of str to Look
        Of each variant.
    scale : Scale
        The x-axis.
    """
    rows = thresholds.set_index(["variant", "kind"])
    for place, (variant, style) in enumerate(look.items()):
        if place % 2:
            axes.axhspan(place - 0.5, place + 0.5, color="#f6f6f6", lw=0, zorder=0)
        for mark in marks:
            if (variant, mark.kind) in rows.index:
                threshold = Threshold.of(rows.loc[(variant, mark.kind)], mark.name)
                _mark(axes, threshold, place + mark.offset, mark.filled, style, scale)
    axes.set_ylim(len(look) - 0.5, -0.5)
    axes.set_yticks(range(len(look)), list(look))
    axes.tick_params(axis="y", length=0)


def _mark(
    axes: Axes, threshold: Threshold, y: float, filled: bool, look: Look, scale: Scale
) -> None:
    if threshold.censored == "undefined":
        style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALL, "color": PALE}
        axes.text(scale.at(0.5), y, "undefined", fontstyle="italic", **style)
        return
    low, middle, high = (_place(at, scale) for at in threshold.bounds)
    axes.plot([low, high], [y, y], color=look.color, lw=1, solid_capstyle="butt")
    for end, (bound, at) in enumerate(zip(threshold.bounds[::2], (low, high), strict=True)):
        if at != bound:
            axes.plot([at], [y], marker=CARETS[end], color=look.color, ms=3, ls="none")
    symbol = {"<": CARETS[0], ">": CARETS[1]}.get(threshold.censored, look.marker)
    face = look.color if filled else "white"
    axes.plot(
        [middle], [y], marker=symbol, color=look.color, mfc=face, mew=0.9, ls="none", clip_on=False
    )
    text = level(threshold.bounds[1], (scale.lowest, scale.highest))
    _label(axes, text, y, low, high, scale)


def _place(level: float, scale: Scale) -> float:
    """Return where a level is drawn: just outside the tested range if it lies beyond it."""
    if scale.lowest - ROUNDING <= level <= scale.highest + ROUNDING:
        return level
    return scale.at(-EDGE if level < scale.lowest else 1 + EDGE)


def _label(axes: Axes, text: str, y: float, low: float, high: float, scale: Scale) -> None:
    """Write beside the interval where there is room, or else on it."""
    style: dict[str, Any] = {"va": "center_baseline", "fontsize": SMALL, "color": INK}
    style |= {"textcoords": "offset points", "ha": "center", "xytext": (0, 0)}
    x = scale.at(0.5)
    if scale.share(high) + ROOM < 1 + EDGE:
        x, style = high, style | {"ha": "left", "xytext": (5, 0)}
    elif scale.share(low) - ROOM > -EDGE:
        x, style = low, style | {"ha": "right", "xytext": (-5, 0)}
    else:
        style["bbox"] = {"facecolor": "white", "linewidth": 0, "pad": 0.5}
    axes.annotate(text, (x, y), **style)
