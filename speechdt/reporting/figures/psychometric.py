"""Psychometric curves of detection and accuracy along SNR or duration, with thresholds."""

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from speechdt.reporting.figures.levels import DURATION, SNR, Dimension, Scale
from speechdt.reporting.figures.strip import ACCURACY, DETECTION, strip
from speechdt.reporting.figures.style import (
    INK,
    PAGE,
    PALE,
    SMALL,
    Look,
    looks,
    mark_chance,
    message,
    most_columns,
    panels,
    styled,
)
from speechdt.reporting.tables.thresholds_text import MISFIT

OVERLAY = 4
"""Up to this many variants share one panel; bands of more would hide each other."""
HEARD = 'P("SPEECH" | SPEECH)'
CORRECT = "Balanced accuracy"
ALARM: dict[str, Any] = {"color": "#b00020", "fontsize": SMALL, "fontweight": "bold"}
MOST_LETTERS = 40
"""In a line above a panel."""
RATES = {0.0: "0", 0.25: ".25", 0.5: ".50", 0.75: ".75", 1.0: "1"}


def psychometric_snr(
    curves: pd.DataFrame, thresholds: pd.DataFrame, variants: Sequence[str]
) -> Figure:
    """Draw detection and accuracy against SNR, with the thresholds on the same axis below.

    Parameters
    ----------
    curves, thresholds : DataFrame
        The tables of these names.
    variants : sequence of str
        In the order that gives each its look.
    """
    return _psychometric(curves, thresholds, variants, SNR)


def psychometric_duration(
    curves: pd.DataFrame, thresholds: pd.DataFrame, variants: Sequence[str]
) -> Figure:
    """Draw detection and accuracy against duration, as `psychometric_snr` does against SNR."""
    return _psychometric(curves, thresholds, variants, DURATION)


def _psychometric(
    curves: pd.DataFrame, thresholds: pd.DataFrame, variants: Sequence[str], dimension: Dimension
) -> Figure:
    curves, thresholds = _pooled(curves, dimension), _pooled(thresholds, dimension)
    with styled():
        if curves.empty:
            return message(f"One {dimension.name} alone was tested: there is no curve along it.")
        levels = np.unique(np.round(curves.loc[~curves["fitted"], "level"], 6))
        draw = _overlaid if len(variants) <= OVERLAY else _apart
        return draw(curves, thresholds, looks(variants), Scale(dimension, levels))


def _pooled(table: pd.DataFrame, dimension: Dimension) -> pd.DataFrame:
    """Return the rows along a dimension, over all levels of the other."""
    return table[(table["dimension"] == dimension.name) & (table["slice"].astype(str) == "all")]


def _overlaid(
    curves: pd.DataFrame, thresholds: pd.DataFrame, look: dict[str, Look], scale: Scale
) -> Figure:
    """Draw few variants: all in one panel, thresholds below."""
    rows = 0.36 * len(look) + 0.15
    figure = Figure(figsize=(PAGE, 3.1 + rows), layout="constrained")
    axes = figure.subplots(2, 2, sharex="col", height_ratios=[2.2, rows])
    for variant in look:
        _detection(axes[0, 0], curves, thresholds, variant, look[variant], scale)
        _curve(axes[0, 1], curves, "accuracy", variant, look[variant], band=True)
    for column, (name, marks) in enumerate(((HEARD, DETECTION), (CORRECT, ACCURACY))):
        catch = marks is DETECTION
        poor = _poor(thresholds, "detection" if catch else "accuracy")
        _mark_poor(axes[0, column], *(variant for variant in look if variant in poor))
        _rates(axes[0, column], name)
        strip(axes[1, column], thresholds, marks, look, scale)
        scale.dress(axes[0, column], catch=catch, label=False)
        scale.dress(axes[1, column], catch=catch)
    _legend(figure, look, columns=len(look) + 2)
    return figure


def _apart(
    curves: pd.DataFrame, thresholds: pd.DataFrame, look: dict[str, Look], scale: Scale
) -> Figure:
    """Draw many variants: detection each in a panel, thresholds and accuracy of all below."""
    rows, columns = panels(len(look), most_columns(len(look)))
    heights = [1.3 * rows + 0.35, 0.3 * len(look) + 0.9]
    figure = Figure(figsize=(PAGE, sum(heights)), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=heights, squeeze=False).flat
    axes = above.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for panel, variant in zip(axes.flat, look, strict=False):
        for other in [name for name in look if name != variant]:
            line = _part(curves, "detection", other, fitted=True)
            panel.plot(line["level"], line["rate"], color="#cccccc", lw=0.6, zorder=1)
        _detection(panel, curves, thresholds, variant, look[variant], scale)
        _rates(panel)
        scale.dress(panel, catch=True, label=False)
        panel.set_title(variant, fontweight="bold")
        if variant in _poor(thresholds, "detection"):
            panel.set_title("poor fit", loc="right", **ALARM)
        panel.tick_params(labelsize=SMALL - 0.5 if columns > 3 else SMALL)
    for panel in axes.flat[len(look) :]:
        panel.set_visible(False)
    for column in range(columns):
        last = [panel for panel in axes[:, column] if panel.get_visible()][-1]
        last.xaxis.set_tick_params(labelbottom=True)
        last.set_xlabel(scale.dimension.label)
    above.supylabel(HEARD, fontsize=8)
    _below(below, curves, thresholds, look, scale)
    return figure


def _below(
    figure: SubFigure,
    curves: pd.DataFrame,
    thresholds: pd.DataFrame,
    look: dict[str, Look],
    scale: Scale,
) -> None:
    grid = figure.add_gridspec(2, 2, height_ratios=[1.3, 1])
    left = figure.add_subplot(grid[:, 0])
    curve = figure.add_subplot(grid[0, 1])
    right = figure.add_subplot(grid[1, 1], sharex=curve)
    for variant in look:
        _curve(curve, curves, "accuracy", variant, look[variant], band=False)
    least = curves.loc[curves["kind"] == "accuracy", "rate"].min()
    _rates(curve, CORRECT, lowest=min(0.5, least))
    poor = _poor(thresholds, "accuracy")
    _mark_poor(curve, *(variant for variant in look if variant in poor))
    scale.dress(curve, catch=False, label=False)
    curve.tick_params(labelbottom=False)
    for axes, marks in ((left, DETECTION), (right, ACCURACY)):
        strip(axes, thresholds, marks, look, scale)
        scale.dress(axes, catch=False)
    _legend(figure, look, columns=min(len(look) + 2, 7))


def _part(curves: pd.DataFrame, kind: str, variant: str, *, fitted: bool) -> pd.DataFrame:
    of = (curves["kind"] == kind) & (curves["variant"] == variant) & (curves["fitted"] == fitted)
    return curves[of]


def _curve(
    axes: Axes, curves: pd.DataFrame, kind: str, variant: str, look: Look, *, band: bool
) -> None:
    line = _part(curves, kind, variant, fitted=True)
    points = _part(curves, kind, variant, fitted=False)
    if band:
        axes.fill_between(
            line["level"], line["low"], line["high"], color=look.color, alpha=0.18, lw=0
        )
    axes.plot(line["level"], line["rate"], color=look.color, linestyle=look.line)
    axes.plot(points["level"], points["rate"], **look.marked, mec="white", mew=0.4)


def _detection(
    axes: Axes,
    curves: pd.DataFrame,
    thresholds: pd.DataFrame,
    variant: str,
    look: Look,
    scale: Scale,
) -> None:
    """Draw the curve of SPEECH decisions, its guess rate, and its thresholds down to the axis."""
    _curve(axes, curves, "detection", variant, look, band=True)
    of = (thresholds["variant"] == variant) & (thresholds["kind"] == "detection")
    fitted = thresholds[of]
    axes.plot(
        [scale.catch] * len(fitted),
        fitted["guess"],
        **look.marked | {"mfc": "white", "clip_on": False},
    )
    for name, rate in (("dt50", 0.5), ("dt75", 0.75)):
        axes.vlines(fitted[name].dropna(), -1, rate, color=look.color, lw=0.7, ls=":")


def _poor(thresholds: pd.DataFrame, kind: str) -> set[str]:
    """Return the variants whose curve does not follow its points."""
    of = (thresholds["kind"] == kind) & (thresholds["fit_p"] < MISFIT)
    return set(thresholds.loc[of, "variant"])


def _mark_poor(axes: Axes, *variants: str) -> None:
    """Name the curves that do not fit above a panel, where the names hide nothing."""
    if variants:
        text = fill("poor fit: " + ", ".join(variants), MOST_LETTERS)
        axes.set_title(text, loc="right", **ALARM)


def _rates(axes: Axes, label: str = "", lowest: float = 0.0) -> None:
    axes.set_ylim(lowest - 0.03, 1.03)
    axes.set_yticks(*zip(*[at for at in RATES.items() if at[0] >= lowest], strict=True))
    axes.set_ylabel(label)
    for rate in (0.5, 0.75):
        axes.axhline(rate, color=PALE, lw=0.6, zorder=0)
    if label == CORRECT:
        mark_chance(axes, 0.5)


def _legend(figure: Figure | SubFigure, look: dict[str, Look], columns: int) -> None:
    handles = [
        Line2D([], [], color=style.color, ls=style.line, marker=style.marker, label=variant)
        for variant, style in look.items()
    ]
    for label, face in (("DT50", "white"), ("DT75, 75 % correct", INK)):
        handles.append(Line2D([], [], color=INK, marker="o", ls="none", mfc=face, label=label))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)
