"""AUC on dev against the level at which clips are played."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from speechdt.reporting.figures.style import (
    PAGE,
    PALE,
    PAPER,
    Look,
    looks,
    mark_chance,
    message,
    most_columns,
    outside,
    panels,
    styled,
)
from speechdt.reporting.tables.formatting import minus
from speechdt.reporting.tables.levels import NEAR, numbers

STEP = 0.22
"""Distance of clips as stored from the highest level, as a share of the range of levels."""


def levels(levels: pd.DataFrame, variants: Sequence[str]) -> Figure:
    """Draw a panel a variant: AUC at each level, and of clips as they are stored at the right.

    Parameters
    ----------
    levels : DataFrame
        The table of this name.
    variants : sequence of str
        All variants; those without a detector of their own have no panel.
    """
    look = looks(variants)
    drawn = [variant for variant in variants if variant in set(levels["variant"])]
    if not drawn:
        return message("No variant has a detector of its own.")
    rows, columns = panels(len(drawn), most_columns(len(drawn)))
    with styled():
        figure = Figure(figsize=(PAGE, 1.45 * rows + 0.45), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for panel, variant in zip(axes.flat, drawn, strict=False):
            _curve(panel, levels[levels["variant"] == variant], look[variant])
            panel.set_title(variant, fontweight="bold")
        outside(axes, len(drawn))
        figure.supxlabel("Level of the clip (dBFS, root mean square)", fontsize=8)
        figure.supylabel("AUC on dev", fontsize=8)
        return figure


def _curve(axes: Axes, of: pd.DataFrame, look: Look) -> None:
    x = numbers(of["level"])
    played = np.sort(x[~np.isnan(x)])
    stored = played[-1] + max(STEP * (played[-1] - played[0]), 1.0)
    of = of.assign(x=np.where(np.isnan(x), stored, x)).sort_values("x")
    measured = of.dropna(subset="auc")
    axes.axhspan(measured["auc"].max() - NEAR, measured["auc"].max(), color=PAPER, lw=0, zorder=0)
    for part in (measured[measured["x"] < stored], measured[measured["x"] == stored]):
        ends = [part["auc"] - part["auc_low"], part["auc_high"] - part["auc"]]
        line: dict[str, Any] = {
            "color": look.color,
            "marker": look.marker,
            "mfc": "white",
            "ms": 3.5,
            "lw": 1,
        }
        axes.errorbar(part["x"], part["auc"], np.clip(ends, 0, None), elinewidth=0.6, **line)
    scored = measured[measured["heard"]]
    axes.plot(scored["x"], scored["auc"], **look.marked, ms=5.5, zorder=5)
    mark_chance(axes, 0.5)
    ticks = [*played[:-1:2], stored]
    axes.set_xticks(ticks, [*(minus(f"{tick:g}") for tick in ticks[:-1]), "stored"])
    axes.set_xticks(played, minor=True)
    axes.axvline((played[-1] + stored) / 2, color=PALE, lw=0.4, ls=":", zorder=0)
