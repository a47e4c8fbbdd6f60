"""ROC of all variants, with a logarithmic axis of false alarms."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from speechdt.reporting.figures.style import INK, PALE, Look, looks, styled
from speechdt.reporting.tables.operating_points import at

WIDTH, HEIGHT = 5.6, 3.6
"""Of the figure in inches."""
MARKED = (0.01, 0.05, 0.10)
"""False-alarm rates with a line of their own."""
BANDS = 4
"""With more ready-made detectors than this, intervals would hide the curves."""


def roc(
    roc: pd.DataFrame,
    operating_points: pd.DataFrame,
    variants: Sequence[str],
    width: float = WIDTH,
    height: float = HEIGHT,
) -> Figure:
    """Draw hit rate against false-alarm rate; what is not ready-made is thin, where anything is.

    Parameters
    ----------
    roc, operating_points : DataFrame
        The tables of these names.
    variants : sequence of str
        In the order that gives each its look.
    width, height : float
        Of the figure in inches.
    """
    look = looks(variants)
    curves = {str(name): own for name, own in roc.groupby("variant", sort=False)}
    ready = set(roc.loc[roc["ready_made"].astype(bool), "variant"]) or set(variants)
    points = at(operating_points).set_index("variant").to_dict("index")
    with styled():
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        for name in (name for name in variants if name not in ready):
            own = curves[name]
            axes.plot(own["false_alarm"], own["hit"], color=look[name].color, lw=0.6, zorder=1)
        for name in (name for name in variants if name in ready):
            _draw(axes, curves[name], points[name], look[name], len(ready) <= BANDS)
        _axes(axes, float(roc["false_alarm"].min()))
        lines = [_line(name, look[name], name in ready) for name in variants]
        figure.legend(handles=[*lines, *_legend()], loc="outside right upper")
        return figure


def _draw(
    axes: Axes, curve: pd.DataFrame, points: Mapping[Any, Any], look: Look, band: bool
) -> None:
    if band:
        alarm, low, high = (curve[name] for name in ("false_alarm", "low", "high"))
        axes.fill_between(alarm, low, high, color=look.color, alpha=0.1, lw=0)
    axes.plot(curve["false_alarm"], curve["hit"], color=look.color, ls=look.line, zorder=2)
    for prefix, inside in (("", look.color), ("vendor_", "white")):
        if f"{prefix}hit" in points:
            lowest = float(curve["false_alarm"].min())
            axes.plot(
                max(float(points[f"{prefix}false_alarm"]), lowest),
                float(points[f"{prefix}hit"]),
                **look.marked,
                mfc=inside,
                clip_on=False,
                zorder=3,
            )


def _axes(axes: Axes, lowest: float) -> None:
    axes.set_xscale("log")
    axes.set_xlim(lowest, 1)
    axes.set_ylim(0, 1)
    for rate in MARKED:
        axes.axvline(rate, color=PALE, lw=0.4, ls=":", zorder=0)
    ticks = [tick for tick in (0.001, 0.01, 0.05, 0.1, 0.5, 1) if tick >= lowest * 0.999]
    axes.set_xticks(ticks, [f"{100 * tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    axes.set_xlabel("NONSPEECH called SPEECH (%)")
    axes.set_ylabel("SPEECH called SPEECH (%)")


def _line(name: str, look: Look, ready: bool) -> Line2D:
    if not ready:
        return Line2D([], [], color=look.color, lw=0.6, label=name)
    return Line2D([], [], color=look.color, ls=look.line, marker=look.marker, label=name)


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=INK, marker="o", ls="none", mfc=inside, label=label)
        for inside, label in ((INK, "at dev's threshold"), ("white", "at the vendor's"))
    ]
