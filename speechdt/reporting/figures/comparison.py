"""Differences of pooled AUC between all pairs of variants."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from speechdt.reporting.figures.style import INK, PAGE, PALE, PAPER, SMALL, styled
from speechdt.reporting.tables.formatting import minus
from speechdt.statistics.comparison import PLANNED

COLORMAP = "PuOr_r"
"""Diverging, for the colour-blind too; its middle is white."""
PALER = 1.3
"""How much wider the colour scale is than the differences: frames do not show on its dark ends."""
LEVEL = 0.05
CELL, MARGIN = 0.5, 1.1
"""Height of a cell and of what stands around the cells, in inches."""
LOWEST = 2.9
"""Height of a figure with very few variants, whose labels need it."""
MOST_WITH_DECIMALS = 12


def comparisons(comparisons: pd.DataFrame, matrix: pd.DataFrame, variants: Sequence[str]) -> Figure:
    """Draw row minus column, in hundredths of AUC, the best variant first.

    Parameters
    ----------
    comparisons, matrix : DataFrame
        The tables of these names.
    variants : sequence of str
        Those that are shown.
    """
    area = matrix.set_index("variant")["auc"].reindex(list(variants))
    order = list(area.sort_values(ascending=False, kind="stable").index)
    digits = 1 if len(order) <= MOST_WITH_DECIMALS else 0
    height = max(CELL * min(len(order), 10) + MARGIN, LOWEST)
    with styled():
        figure = Figure(figsize=(PAGE, height), layout="constrained")
        axes = figure.subplots()
        widest = float(np.nanmax([*comparisons["auc_difference"].abs(), 0.01]))
        limit = PALER * widest
        shades = ScalarMappable(Normalize(-limit, limit), mpl.colormaps[COLORMAP])
        _names(axes, order)
        for place, variant in enumerate(order):
            axes.add_patch(_box(place, place, facecolor=PAPER, edgecolor="none"))
            _write(axes, place, place, f"{100 * area[variant]:.{digits}f}", color=PALE)
        for pair in comparisons.to_dict("records"):
            if pair["variant"] in order and pair["reference"] in order:
                row, column = order.index(pair["variant"]), order.index(pair["reference"])
                _cell(axes, row, column, pair["auc_difference"], pair, shades, digits)
                _cell(axes, column, row, -pair["auc_difference"], pair, shades, digits)
                _frame(axes, row, column, pair)
        axes.set_xlabel("… this one (column)")
        axes.set_ylabel("This one (row) beats …")
        bar = figure.colorbar(shades, ax=axes, pad=0.02, aspect=30)
        ticks = [tick for tick in bar.get_ticks() if abs(tick) <= widest]
        bar.set_ticks(ticks, labels=[minus(f"{100 * tick:g}") for tick in np.round(ticks, 6)])
        bar.set_label("Difference of AUC (hundredths)", fontsize=7)
        return figure


def _names(axes: Axes, order: Sequence[str]) -> None:
    places = np.arange(len(order))
    long = len(order) > 4 and max(map(len, order)) > 4
    axes.set_xticks(places, order, rotation=90 if long else 0)
    axes.set_yticks(places, order)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlim(-0.5, len(order) - 0.5)
    axes.set_ylim(len(order) - 0.5, -0.5)


def _cell(
    axes: Axes,
    row: int,
    column: int,
    difference: float,
    pair: Mapping[Any, Any],
    shades: ScalarMappable,
    digits: int,
) -> None:
    """Shade and write one difference, bold where its interval leaves out zero."""
    shade = shades.to_rgba(np.array([difference]))[0]
    axes.add_patch(_box(row, column, facecolor=shade, edgecolor="white", linewidth=0.6))
    sure = pair["auc_difference_low"] > 0 or pair["auc_difference_high"] < 0
    dark = np.dot(shade[:3], (0.299, 0.587, 0.114)) < 0.5
    color = "white" if dark else INK if sure else "#555555"
    points = round(100 * difference, digits)
    text = minus(f"{points:+.{digits}f}") if points else f"{0:.{digits}f}"
    _write(axes, row, column, text, color=color, fontweight="bold" if sure else "normal")


def _frame(axes: Axes, row: int, column: int, pair: Mapping[Any, Any]) -> None:
    """Frame a planned contrast: solid if it is significant after Holm, dotted if not."""
    if pair["family"] == PLANNED:
        line = "-" if pair["auc_p_holm"] <= LEVEL else (0, (1, 1.2))
        axes.add_patch(
            _box(row, column, facecolor="none", edgecolor=INK, linewidth=1.1, linestyle=line)
        )


def _box(row: int, column: int, **style: object) -> Rectangle:
    """Return the box of a cell, a little smaller than the cell, so that frames do not touch."""
    return Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, **style)  # type: ignore[arg-type]


def _write(axes: Axes, row: int, column: int, text: str, **style: object) -> None:
    axes.text(column, row, text, ha="center", va="center", fontsize=SMALL, **style)  # type: ignore[arg-type]
