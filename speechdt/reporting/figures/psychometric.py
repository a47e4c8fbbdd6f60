"""Psychometric curves of hits and accuracy, and d', along SNR or duration, with thresholds."""

from collections.abc import Sequence
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from speechdt.reporting.figures.levels import DURATION, SNR, Dimension, Scale
from speechdt.reporting.figures.strip import BESIDE, of_kind, strip
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
from speechdt.reporting.tables.thresholds_text import HEADLINE, MISFIT, OWN

OVERLAY = 4
"""Up to this many variants share one panel; bands of more would hide each other."""
NAMES = {HEADLINE: "Hits at 10 % false alarms", OWN: 'P("SPEECH" | SPEECH), own θ'}
"""What the curves of a kind are."""
BESIDE_LINE = (0, (2, 1.2))
"""Of the curve at a detector's own threshold, beside that at 10 % false alarms."""
CORRECT = "Balanced accuracy"
ALARM: dict[str, Any] = {"color": "#b00020", "fontsize": SMALL, "fontweight": "bold"}
COARSE = 4
"""Every so many points of a curve draw it in grey behind others: there are a square of variants."""
MOST_LETTERS = 40
"""In a line above a panel."""
RATES = {0.0: "0", 0.25: ".25", 0.5: ".50", 0.75: ".75", 1.0: "1"}


def psychometric_snr(
    curves: pd.DataFrame, thresholds: pd.DataFrame, variants: Sequence[str]
) -> Figure:
    """Draw hits, accuracy and d' against SNR, with the thresholds on the same axis.

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
    """Draw hits, accuracy and d' against duration, as `psychometric_snr` does against SNR."""
    return _psychometric(curves, thresholds, variants, DURATION)


def _psychometric(
    curves: pd.DataFrame, thresholds: pd.DataFrame, variants: Sequence[str], dimension: Dimension
) -> Figure:
    curves, thresholds = _pooled(curves, dimension), _pooled(thresholds, dimension)
    with styled():
        if curves.empty:
            return message(f"One {dimension.name} alone was tested: there is no curve along it.")
        levels = np.unique(np.round(curves.loc[~curves["fitted"].astype(bool), "level"], 6))
        draw = _overlaid if len(variants) <= OVERLAY else _apart
        kind = HEADLINE if (curves["kind"] == HEADLINE).any() else OWN
        return draw(Curves(curves, thresholds, looks(variants), Scale(dimension, levels), kind))


class Curves(NamedTuple):
    """Data of a figure.

    Attributes
    ----------
    curves, thresholds : DataFrame
        Of one dimension, pooled over the other.
    look : dict of str to Look
        Of each variant.
    scale : Scale
        The x-axis.
    kind : str
        Of the curves that come first: hits at 10 % false alarms, if clips enough were tested.
    """

    curves: pd.DataFrame
    thresholds: pd.DataFrame
    look: dict[str, Look]
    scale: Scale
    kind: str

    def poor(self, kind: str) -> list[str]:
        """Return the variants whose curve does not follow its points."""
        of = (self.thresholds["kind"] == kind) & (self.thresholds["fit_p"] < MISFIT)
        names = set(self.thresholds.loc[of, "variant"])
        return [variant for variant in self.look if variant in names]


def _pooled(table: pd.DataFrame, dimension: Dimension) -> pd.DataFrame:
    """Return the rows along a dimension, over all levels of the other."""
    return table[(table["dimension"] == dimension.name) & (table["slice"].astype(str) == "all")]


def _overlaid(of: Curves) -> Figure:
    """Draw few variants: all in one panel of each kind, thresholds below."""
    rows = 0.36 * len(of.look) + 0.15
    figure = Figure(figsize=(PAGE, 4.9 + rows), layout="constrained")
    axes = figure.subplots(3, 2, sharex="col", height_ratios=[2.2, rows, 1.8])
    for column, kind in enumerate((of.kind, OWN)):
        panel = axes[0, column]
        for variant, look in of.look.items():
            _curve(panel, of.curves, kind, variant, look, band=True)
            _down(panel, of, kind, variant)
            if kind == OWN and column == 1:
                _guess(panel, of, variant)
        _mark_poor(panel, *of.poor(kind))
        _rates(panel, NAMES[kind])
        strip(axes[1, column], of.thresholds, (of_kind(of.kind), BESIDE)[column], of.look, of.scale)
    _accuracy(axes[2, 0], of)
    _sensitivity(axes[2, 1], of)
    for row in range(3):
        for column in range(2):
            of.scale.dress(axes[row, column], catch=column == 1, label=row == 2)
    _legend(figure, of, columns=min(len(of.look) + 2, 6))
    return figure


def _apart(of: Curves) -> Figure:
    """Draw many variants: the headline each in a panel, the rest of all below."""
    rows, columns = panels(len(of.look), most_columns(len(of.look)))
    heights = [1.3 * rows + 0.35, 0.34 * len(of.look) + 2.3]
    figure = Figure(figsize=(PAGE, sum(heights)), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=heights, squeeze=False).flat
    axes = above.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    coarse = {name: _part(of.curves, of.kind, name, fitted=True).iloc[::COARSE] for name in of.look}
    for panel, variant in zip(axes.flat, of.look, strict=False):
        for line in [line for name, line in coarse.items() if name != variant]:
            panel.plot(line["level"], line["rate"], color="#cccccc", lw=0.6, zorder=1)
        look = of.look[variant]
        if of.kind != OWN:
            line = _part(of.curves, OWN, variant, fitted=True)
            panel.plot(line["level"], line["rate"], color=look.color, lw=0.9, ls=BESIDE_LINE)
        _curve(panel, of.curves, of.kind, variant, look, band=True)
        _down(panel, of, of.kind, variant)
        _guess(panel, of, variant)
        _rates(panel)
        of.scale.dress(panel, catch=True, label=False)
        panel.set_title(variant, fontweight="bold")
        if variant in of.poor(of.kind):
            panel.set_title("poor fit", loc="right", **ALARM)
        panel.tick_params(labelsize=SMALL - 0.5 if columns > 3 else SMALL)
    for panel in axes.flat[len(of.look) :]:
        panel.set_visible(False)
    for column in range(columns):
        last = [panel for panel in axes[:, column] if panel.get_visible()][-1]
        last.xaxis.set_tick_params(labelbottom=True)
        last.set_xlabel(of.scale.dimension.label)
    above.supylabel(NAMES[of.kind], fontsize=8)
    _below(below, of)
    return figure


def _below(figure: SubFigure, of: Curves) -> None:
    """Draw accuracy and d' of all variants, and the thresholds of all below."""
    heights = [1.9, 0.34 * len(of.look) + 0.4]
    axes = figure.subplots(2, 2, sharex="col", height_ratios=heights)
    _accuracy(axes[0, 0], of)
    _sensitivity(axes[0, 1], of)
    for column, marks in enumerate((of_kind(of.kind), BESIDE)):
        strip(axes[1, column], of.thresholds, marks, of.look, of.scale)
        for row in range(2):
            of.scale.dress(axes[row, column], catch=False, label=row == 1)
    _legend(figure, of, columns=min(len(of.look) + 2, 7))


def _accuracy(axes: Axes, of: Curves) -> None:
    for variant, look in of.look.items():
        _curve(axes, of.curves, "accuracy", variant, look, band=False)
    least = of.curves.loc[of.curves["kind"] == "accuracy", "rate"].min()
    _rates(axes, CORRECT, lowest=min(0.5, least))
    _mark_poor(axes, *of.poor("accuracy"))


def _sensitivity(axes: Axes, of: Curves) -> None:
    """Draw d' as it is observed: no curve is fitted to it."""
    for variant, look in of.look.items():
        points = _part(of.curves, "dprime", variant, fitted=False)
        axes.plot(points["level"], points["rate"], color=look.color, ls=look.line, lw=0.8)
        axes.plot(points["level"], points["rate"], **look.marked, mec="white", mew=0.4)
    axes.axhline(0, color=PALE, lw=0.6, zorder=0)
    axes.set_ylabel("d′ at own θ")


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


def _down(axes: Axes, of: Curves, kind: str, variant: str) -> None:
    """Draw the thresholds of a curve down to the axis."""
    at = (of.thresholds["variant"] == variant) & (of.thresholds["kind"] == kind)
    for name, rate in (("dt50", 0.5), ("dt75", 0.75)):
        levels = of.thresholds.loc[at, name].dropna()
        axes.vlines(levels, -1, rate, color=of.look[variant].color, lw=0.7, ls=":")


def _guess(axes: Axes, of: Curves, variant: str) -> None:
    """Draw the guess rate at the detector's own threshold, over the catch trials."""
    at = (of.thresholds["variant"] == variant) & (of.thresholds["kind"] == OWN)
    rates = of.thresholds.loc[at, "guess"]
    style = of.look[variant].marked | {"mfc": "white", "clip_on": False}
    axes.plot([of.scale.catch] * len(rates), rates, **style)


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


def _legend(figure: Figure | SubFigure, of: Curves, columns: int) -> None:
    handles = [
        Line2D([], [], color=style.color, ls=style.line, marker=style.marker, label=variant)
        for variant, style in of.look.items()
    ]
    for label, face in (("DT50; at right: DT75, own θ", "white"), ("DT75; 75 % correct", INK)):
        handles.append(Line2D([], [], color=INK, marker="o", ls="none", mfc=face, label=label))
    if of.kind != OWN and len(of.look) > OVERLAY:
        handles.append(Line2D([], [], color=INK, lw=0.9, ls=BESIDE_LINE, label="own θ"))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)
