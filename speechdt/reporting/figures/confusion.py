"""Confusion matrices: decisions of each variant on each class."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from speechdt.reporting.figures.style import SMALL, outside, panels, styled
from speechdt.reporting.tables.formatting import number

CLASSES = ("SPEECH", "NONSPEECH")
PANEL = 1.28
"""Width of a panel in inches."""


def confusion(metrics: pd.DataFrame, variants: Sequence[str]) -> Figure:
    """Draw row-normalised 2 x 2 matrices with the counts.

    Parameters
    ----------
    metrics : DataFrame
        The table of this name.
    variants : sequence of str
        Order of the panels.
    """
    with styled():
        rows, columns = panels(len(variants), 5)
        figure = Figure(
            figsize=(PANEL * columns + 0.75, (PANEL + 0.15) * rows + 0.35), layout="constrained"
        )
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for panel, variant in zip(axes.flat, variants, strict=False):
            _panel(panel, counts(metrics[metrics["variant"] == variant]))
            panel.set_title(variant, fontweight="bold")
        outside(axes, len(variants))
        figure.supxlabel("Decided", fontsize=8)
        figure.supylabel("Label", fontsize=8)
        return figure


def counts(metrics: pd.DataFrame) -> np.ndarray:
    """Return how many trials of each class were decided to be of each, over all noisy cells.

    Parameters
    ----------
    metrics : DataFrame
        Of one variant.

    Returns
    -------
    (2, 2) int array
        Rows: label SPEECH, NONSPEECH. Columns: decided SPEECH, NONSPEECH.
    """
    overall = metrics[metrics["by"] == "all"].set_index("metric")["value"]
    categories = metrics[metrics["by"] == "category"]
    table = np.zeros((2, 2), dtype=np.int64)
    for row, metric in enumerate(("speech_accuracy", "nonspeech_accuracy")):
        asked = int(categories.loc[categories["metric"] == metric, "n"].sum())
        right = round(overall.get(metric, 0.0) * asked)
        table[row, row], table[row, 1 - row] = right, asked - right
    return table


def _panel(axes: Axes, table: np.ndarray) -> None:
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap=mpl.colormaps["Blues"], norm=Normalize(0, 1))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xticks(range(2), CLASSES, fontsize=SMALL - 0.5)
    axes.set_yticks(range(2), CLASSES, fontsize=SMALL - 0.5, rotation=90, va="center")
    for (row, column), count in np.ndenumerate(table):
        color = "white" if shares[row, column] > 0.6 else "black"
        place: dict[str, Any] = {"ha": "center", "color": color}
        share = f"{number(100 * shares[row, column])} %"
        axes.text(column, row - 0.02, share, va="bottom", **place)
        axes.text(column, row + 0.08, f"{count:,}", va="top", fontsize=SMALL, **place)
