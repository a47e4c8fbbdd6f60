"""ROC of all variants with a logarithmic axis of false alarms, and the same as a DET curve."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from speechdt.reporting.figures.style import INK, PALE, Look, looks, styled
from speechdt.reporting.tables.operating_points import at

WIDTH, HEIGHT = 5.6, 3.6
"""Of the figure in inches."""
MARKED = (0.01, 0.05, 0.10)
"""False-alarm rates with a line of their own."""
BANDS = 4
"""With more ready-made detectors than this, intervals would hide the curves."""
DET_TICKS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9)
"""Rates with a tick where both axes are normal deviates."""
NEVER = 1e-6
"""Stands for a rate of 0, which has no normal deviate."""


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
    points = at(operating_points)
    return _drawn(roc, points, variants, (width, height), _axes)


def det(
    roc: pd.DataFrame,
    operating_points: pd.DataFrame,
    variants: Sequence[str],
    width: float = WIDTH,
    height: float = HEIGHT,
) -> Figure:
    """Draw miss rate against false-alarm rate, both as normal deviates (Martin et al. 1997).

    Parameters are those of :func:`roc`.
    """
    missed = roc.assign(hit=1 - roc["hit"], low=1 - roc["high"], high=1 - roc["low"])
    points = at(operating_points)
    points = points.assign(
        **{name: 1 - points[name] for name in ("hit", "vendor_hit") if name in points}
    )
    return _drawn(missed, points, variants, (width, height), _as_deviates)


def _drawn(
    roc: pd.DataFrame,
    points: pd.DataFrame,
    variants: Sequence[str],
    size: tuple[float, float],
    scale: Callable[[Axes, float], None],
) -> Figure:
    look = looks(variants)
    curves = {str(name): own for name, own in roc.groupby("variant", sort=False)}
    ready = set(roc.loc[roc["ready_made"].astype(bool), "variant"]) or set(variants)
    marks = points.set_index("variant").to_dict("index")
    with styled():
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        lowest = float(roc["false_alarm"].min())
        scale(axes, lowest)
        for name in (name for name in variants if name not in ready):
            own = curves[name]
            axes.plot(own["false_alarm"], own["hit"], color=look[name].color, lw=0.6, zorder=1)
        for name in (name for name in variants if name in ready):
            _draw(axes, curves[name], marks[name], look[name], len(ready) <= BANDS)
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
            # Beyond the edge of a panel, at the edge.
            axes.plot(
                np.clip(float(points[f"{prefix}false_alarm"]), *axes.get_xlim()),
                np.clip(float(points[f"{prefix}hit"]), *axes.get_ylim()),
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


def _as_deviates(axes: Axes, lowest: float) -> None:
    for axis in ("x", "y"):
        getattr(axes, f"set_{axis}scale")("function", functions=(deviate, ndtr))
        getattr(axes, f"set_{axis}lim")(lowest, DET_TICKS[-1])
    axes.minorticks_off()
    ticks = [tick for tick in DET_TICKS if tick >= lowest * 0.999]
    labels = [f"{100 * tick:g}" for tick in ticks]
    axes.set_xticks(ticks, labels)
    axes.set_yticks(ticks, labels)
    axes.grid(color=PALE, lw=0.3, ls=":")
    axes.set_xlabel("NONSPEECH called SPEECH (%)")
    axes.set_ylabel("SPEECH not called SPEECH (%)")


def deviate(rate: ArrayLike) -> NDArray[np.float64]:
    """Return the normal deviate of a rate; rates of 0 and 1 lie outside of any axis."""
    return np.asarray(ndtri(np.clip(rate, NEVER, 1 - NEVER)))


def _line(name: str, look: Look, ready: bool) -> Line2D:
    if not ready:
        return Line2D([], [], color=look.color, lw=0.6, label=name)
    return Line2D([], [], color=look.color, ls=look.line, marker=look.marker, label=name)


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=INK, marker="o", ls="none", mfc=inside, label=label)
        for inside, label in ((INK, "at dev's threshold"), ("white", "at the vendor's"))
    ]
