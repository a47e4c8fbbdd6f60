"""Scores of each class, one panel a variant."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from speechdt.reporting.figures.style import (
    COLORS,
    INK,
    PAGE,
    most_columns,
    outside,
    panels,
    styled,
)
from speechdt.reporting.tables.operating_points import at

CLASSES = {"SPEECH": COLORS[0], "NONSPEECH": COLORS[1]}


def score_shares(
    score_shares: pd.DataFrame, operating_points: pd.DataFrame, variants: Sequence[str]
) -> Figure:
    """Draw the share of each class in each bin of P(speech), and the threshold learned on dev.

    Parameters
    ----------
    score_shares, operating_points : DataFrame
        The tables of these names.
    variants : sequence of str
        Order of the panels.
    """
    thresholds = at(operating_points).set_index("variant")["threshold"]
    with styled():
        rows, columns = panels(len(variants), most_columns(len(variants)))
        figure = Figure(figsize=(PAGE, 1.2 * rows + 0.6), layout="constrained")
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for panel, variant in zip(axes.flat, variants, strict=False):
            _panel(panel, score_shares[score_shares["variant"] == variant])
            panel.axvline(float(thresholds[variant]), color=INK, lw=0.8)
            panel.set_title(variant, fontweight="bold")
        outside(axes, len(variants))
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
        figure.supxlabel("P(speech)", fontsize=8)
        figure.supylabel("Share of the class (%)", fontsize=8)
        return figure


def _panel(axes: Axes, shares: pd.DataFrame) -> None:
    for label, color in CLASSES.items():
        own = shares[shares["label"] == label]
        edges = [*own["p_low"], *own["p_high"].tail(1)]
        axes.stairs(own["share"], edges, color=color, fill=True, alpha=0.35, lw=0)
        axes.stairs(own["share"], edges, color=color, lw=0.8, label=label)
    axes.set_yscale("function", functions=(_root, _square))
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.01, 0.1, 0.5, 1], ["0", "1", "10", "50", "100"])
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.minorticks_off()


def _root(share):  # type: ignore[no-untyped-def]  # arrays of any shape
    return abs(share) ** 0.5


def _square(root):  # type: ignore[no-untyped-def]
    return root**2
