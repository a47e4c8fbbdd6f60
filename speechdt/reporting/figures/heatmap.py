"""Balanced accuracy at every SNR and duration, one panel a variant."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from speechdt.reporting.figures.style import PAGE, SMALL, message, outside, panels, styled
from speechdt.reporting.tables.formatting import minus

COLORMAP = "cividis"
"""Perceptually uniform, for the colour-blind too, and its lightness alone carries the value."""
CHANCE = 0.5


def heatmap(metrics: pd.DataFrame, variants: Sequence[str]) -> Figure:
    """Draw SNR x duration maps of balanced accuracy in percent.

    Parameters
    ----------
    metrics : DataFrame
        The table of this name; its cells are drawn.
    variants : sequence of str
        Order of the panels.
    """
    cells = cell_values(metrics, "balanced_accuracy")
    with styled():
        if cells.empty:
            return message("There are no cells with both classes.")
        snrs, durations = (np.sort(cells[name].unique()) for name in ("snr_db", "duration_ms"))
        rows, columns = panels(len(variants), 3)
        height = rows * (0.24 * len(durations) + 0.42) + 0.35
        figure = Figure(figsize=(PAGE * (columns + 0.5) / 3.5, height), layout="constrained")
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        shades = ScalarMappable(Normalize(CHANCE, 1), mpl.colormaps[COLORMAP])
        for panel, variant in zip(axes.flat, variants, strict=False):
            table = cells[cells["variant"] == variant]
            table = table.pivot(index="duration_ms", columns="snr_db", values="value")
            values = table.reindex(index=durations, columns=snrs).to_numpy()
            _panel(panel, values, shades)
            panel.set_title(variant, fontweight="bold")
            panel.set_xticks(range(len(snrs)), [minus(f"{snr:g}") for snr in snrs])
            panel.set_yticks(range(len(durations)), [f"{duration:g}" for duration in durations])
        outside(axes, len(variants))
        figure.supxlabel("SNR (dB)", fontsize=8)
        figure.supylabel("Duration (ms)", fontsize=8)
        below = bool(cells["value"].min() < CHANCE)
        bar = figure.colorbar(shades, ax=axes, extend="min" if below else "neither", pad=0.02)
        bar.set_ticks([0.5, 0.6, 0.7, 0.8, 0.9, 1.0], labels=["50", "60", "70", "80", "90", "100"])
        bar.set_label("Balanced accuracy (%)", fontsize=7)
        return figure


def cell_values(metrics: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return variant, snr_db, duration_ms and value of every cell."""
    cells = metrics[(metrics["by"] == "cell") & (metrics["metric"] == metric)]
    names = cells["level"].astype(str).str.extract(r"^snr(?P<snr_db>.+)_dur(?P<duration_ms>.+)$")
    return cells[["variant", "value"]].join(names.astype(float))


def _panel(axes: Axes, values: np.ndarray, shades: ScalarMappable) -> None:
    colors = shades.to_rgba(np.ma.masked_invalid(values))
    axes.imshow(colors, aspect="auto", origin="lower")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = "white" if value < 0.72 else "black"
            text = f"{100 * value:.0f}"
            axes.text(column, row, text, ha="center", va="center", fontsize=SMALL, color=color)
