"""Prompts of the bank: gain over the baseline prompt, and balanced accuracy."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from speechdt.reporting.figures.style import COLORS, INK, PAGE, PALE, styled

ROW = 0.17
"""Height in inches of a prompt."""


def prompts(prompts: pd.DataFrame, variants: Sequence[str]) -> Figure:
    """Draw two panels a search, one row a prompt, all in the order of the first search.

    Parameters
    ----------
    prompts : DataFrame
        The table of this name.
    variants : sequence of str
        Not used: searches are drawn, in the order of the table.
    """
    searches = list(dict.fromkeys(prompts["search"]))
    first = prompts[prompts["search"] == searches[0]].sort_values("gain", kind="stable")
    order = list(first["prompt"])
    with styled():
        height = len(searches) * (ROW * len(order) + 0.6) + 0.2
        figure = Figure(figsize=(PAGE, height), layout="constrained")
        axes = figure.subplots(len(searches), 2, sharey=True, squeeze=False)
        for (left, right), search in zip(axes, searches, strict=True):
            rows = prompts[prompts["search"] == search].set_index("prompt").reindex(order)
            _dots(left, rows, "gain", 1)
            left.axvline(0, color=PALE, lw=0.6, zorder=0)
            _dots(right, rows, "balanced_accuracy", 100)
            baseline = rows.loc[rows["gain"].abs().idxmin(), "balanced_accuracy"]
            right.axvline(100 * float(baseline), color=PALE, lw=0.6, zorder=0)
            left.set_yticks(range(len(order)), order)
            left.set_title(f"{search} ({rows['model'].iloc[0]})", fontweight="bold")
        axes[-1, 0].set_xlabel("Gain in log-loss over the baseline")
        axes[-1, 1].set_xlabel("Balanced accuracy (%)")
        return figure


def _dots(axes: Axes, rows: pd.DataFrame, name: str, scale: float) -> None:
    places = range(len(rows))
    axes.hlines(
        places, scale * rows[f"{name}_low"], scale * rows[f"{name}_high"], color=COLORS[0], lw=0.9
    )
    axes.plot(scale * rows[name], places, ls="none", marker="o", ms=3.5, color=INK)
    axes.grid(axis="y", color=PALE, lw=0.3, alpha=0.4)
