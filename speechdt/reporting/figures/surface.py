"""Fitted surfaces over SNR and duration with their 75 % contours, one panel a variant."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from speechdt.psychometrics.surface import Surface
from speechdt.reporting.figures.heatmap import COLORMAP
from speechdt.reporting.figures.style import INK, PAGE, message, outside, panels, styled
from speechdt.reporting.tables.formatting import minus
from speechdt.reporting.tables.thresholds_text import HEADLINE, OWN

POINTS = 60
MOST_LABELS = 6
"""Of SNRs below a panel a third of a page wide."""


def surface(
    surface: pd.DataFrame, contour: pd.DataFrame, curves: pd.DataFrame, variants: Sequence[str]
) -> Figure:
    """Draw hits at 10 % false alarms over SNR and duration, and where they are 75 %.

    Where too few clips were tested for that, SPEECH decisions at each detector's own threshold.

    Parameters
    ----------
    surface, contour, curves : DataFrame
        The tables of these names.
    variants : sequence of str
        Order of the panels.
    """
    cells = _observed(curves, OWN)
    kind = HEADLINE if (surface["kind"] == HEADLINE).any() else OWN
    surface, contour = surface[surface["kind"] == kind], contour[contour["kind"] == kind]
    dots = _observed(curves, kind)
    with styled():
        if surface.empty or cells.empty:
            return message("A surface takes two SNRs and two durations at least.")
        rows, columns = panels(len(variants), 3)
        figure = Figure(
            figsize=(PAGE * (columns + 0.5) / 3.5, rows * 1.55 + 0.4), layout="constrained"
        )
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        shades = ScalarMappable(Normalize(0, 1), mpl.colormaps[COLORMAP])
        for panel, variant in zip(axes.flat, variants, strict=False):
            fitted = surface[surface["variant"] == variant]
            _background(panel, fitted, cells)
            _contour(panel, contour[contour["variant"] == variant])
            own = dots[dots["variant"] == variant]
            panel.scatter(
                own["snr_db"],
                own["duration_ms"],
                c=shades.to_rgba(own["value"].to_numpy()),
                s=26,
                edgecolors="white",
                linewidths=0.7,
                zorder=4,
                clip_on=False,
            )
            panel.set_title(variant, fontweight="bold")
            _scales(panel, cells)
        outside(axes, len(variants))
        figure.supxlabel("SNR (dB)", fontsize=8)
        figure.supylabel("Duration (ms)", fontsize=8)
        bar = figure.colorbar(shades, ax=axes, pad=0.02)
        bar.set_ticks([0, 0.25, 0.5, 0.75, 1.0], labels=["0", "25", "50", "75", "100"])
        name = {HEADLINE: "Hits at 10 % false alarms (%)", OWN: "SPEECH decisions on speech (%)"}
        bar.set_label(name[kind], fontsize=7)
        return figure


def _observed(curves: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return variant, snr_db, duration_ms and value of every cell: curves at a duration."""
    of = (curves["kind"] == kind) & (curves["dimension"] == "snr") & ~curves["fitted"].astype(bool)
    durations = pd.to_numeric(curves["slice"], errors="coerce")
    cells = curves[of & durations.notna()].assign(duration_ms=durations)
    cells = cells.rename(columns={"level": "snr_db", "rate": "value"})
    return cells[["variant", "snr_db", "duration_ms", "value"]]


def _background(axes: Axes, fitted: pd.DataFrame, cells: pd.DataFrame) -> None:
    """Shade the fitted rates; boundaries are those of the tested range."""
    if fitted.empty:
        return
    snrs = np.linspace(cells["snr_db"].min(), cells["snr_db"].max(), POINTS)
    durations = np.geomspace(cells["duration_ms"].min(), cells["duration_ms"].max(), POINTS)
    row = fitted.iloc[0]
    model = Surface(*(np.array([row[name]], dtype=float) for name in Surface._fields))
    rate = model.predict(snrs[None, :], durations[:, None])[0]
    axes.pcolormesh(
        *(snrs, durations, rate),
        cmap=COLORMAP,
        vmin=0,
        vmax=1,
        shading="gouraud",
        rasterized=True,
    )


def _contour(axes: Axes, contour: pd.DataFrame) -> None:
    """Draw the 75 % line, and its interval dashed, where they lie within the tested range."""
    finite = contour.replace([np.inf, -np.inf], np.nan)
    axes.plot(finite["snr_db"], finite["duration_ms"], color="white", lw=2.6, zorder=2)
    axes.plot(finite["snr_db"], finite["duration_ms"], color=INK, lw=1.3, zorder=3)
    for end in ("snr_low", "snr_high"):
        axes.plot(finite[end], finite["duration_ms"], color="white", lw=0.9, ls="--", zorder=3)


def _scales(axes: Axes, cells: pd.DataFrame) -> None:
    snrs, durations = (np.sort(cells[name].unique()) for name in ("snr_db", "duration_ms"))
    axes.set_yscale("log")
    axes.set_xticks(snrs, spread([minus(f"{snr:g}") for snr in snrs]))
    axes.set_yticks(durations, [f"{duration:g}" for duration in durations])
    axes.minorticks_off()
    axes.set_xlim(snrs[0], snrs[-1])
    axes.set_ylim(durations[0], durations[-1])


def spread(labels: list[str]) -> list[str]:
    """Return labels of ticks, every other one empty where all would touch; the last one stays."""
    if len(labels) <= MOST_LABELS:
        return labels
    return [text if (len(labels) - 1 - place) % 2 == 0 else "" for place, text in enumerate(labels)]
