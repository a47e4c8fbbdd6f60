"""Reliability diagrams: rate of speech against P(speech), raw and calibrated."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from speechdt.reporting.figures.style import (
    COLORS,
    INK,
    PAGE,
    PALE,
    SMALL,
    most_columns,
    panels,
    styled,
)
from speechdt.statistics.metrics import BINS


class Scale(NamedTuple):
    """Look of one scale of P(speech); `suffix` is that of its metrics."""

    label: str
    suffix: str
    color: str
    line: Any
    marker: str


SCALES = {
    "raw": Scale("raw", "", INK, "-", "o"),
    "temperature": Scale("temperature", "_temperature", COLORS[1], (0, (5, 1.5)), "s"),
    "platt": Scale("Platt", "_platt", COLORS[0], (0, (1, 1.2)), "^"),
}


def reliability(reliability: pd.DataFrame, matrix: pd.DataFrame, variants: Sequence[str]) -> Figure:
    """Draw a diagram for each variant, with the trials in each bin counted below it.

    Parameters
    ----------
    reliability, matrix : DataFrame
        The tables of these names; the matrix gives the ECE.
    variants : sequence of str
        Order of the panels.
    """
    fullest = int(reliability["n"].max())
    errors = matrix.set_index("variant")
    count = len(variants)
    with styled():
        rows, columns = panels(count, most_columns(count))
        width = min(PAGE, 2.3 * columns + 0.6)
        figure = Figure(figsize=(width, 2.2 * rows + 0.5), layout="constrained")
        axes = figure.subplots(
            2 * rows,
            columns,
            sharex=True,
            sharey="row",
            squeeze=False,
            height_ratios=[3, 1] * rows,
        )
        for place, variant in enumerate(variants):
            row, column = divmod(place, columns)
            above, below = axes[2 * row : 2 * row + 2, column]
            points = reliability[reliability["variant"] == variant]
            _diagram(above, points, errors.loc[[variant]])
            _counts(below, points, fullest)
            above.set_title(variant, fontweight="bold")
            if place + columns >= count:
                below.tick_params(labelbottom=True)
                below.set_xlabel("P(speech)")
        for panel in axes[-2:, columns - (rows * columns - count) :].flat:
            panel.set_visible(False)
        for above, below in axes[:, 0].reshape(rows, 2):
            above.set_ylabel("Rate of SPEECH")
            below.set_ylabel("Trials")
        figure.legend(handles=_handles(), loc="outside upper center", ncols=len(SCALES))
        return figure


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], color=scale.color, ls=scale.line, marker=scale.marker, label=scale.label)
        for scale in SCALES.values()
    ]


def _diagram(axes: Axes, points: pd.DataFrame, errors: pd.DataFrame) -> None:
    axes.plot([0, 1], [0, 1], color=PALE, lw=0.6, zorder=0)
    lines = ["ECE"]
    for name, scale in SCALES.items():
        of = points[points["scale"] == name]
        axes.plot(
            of["p_speech"],
            of["speech_rate"],
            color=scale.color,
            ls=scale.line,
            marker=scale.marker,
            ms=3,
            lw=1,
        )
        lines.append(f"{scale.label} {errors[f'ece{scale.suffix}'].iloc[0]:.3f}")
    text = "\n".join(lines)
    behind = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.5}
    place = _free(points)
    axes.text(*place[:2], text, **place[2], fontsize=SMALL, linespacing=1.3, bbox=behind)
    _unit(axes)
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([0, 0.5, 1], ["0", ".5", "1"])


def _free(points: pd.DataFrame) -> tuple[float, float, dict[str, Any]]:
    """Return where text hides fewer points, and how it is aligned: below or above the diagonal."""
    x, y = points["p_speech"], points["speech_rate"]
    below, above = ((x > 0.45) & (y < 0.42)).sum(), ((x < 0.55) & (y > 0.58)).sum()
    if below <= above:
        return 1.02, 0.0, {"ha": "right", "va": "bottom"}
    return -0.02, 1.0, {"ha": "left", "va": "top"}


def _counts(axes: Axes, points: pd.DataFrame, fullest: int) -> None:
    """Draw the trials per bin as outlines, which stay apart where bars would hide each other."""
    edges = np.linspace(0, 1, BINS + 1)
    for name, scale in SCALES.items():
        of = points[points["scale"] == name]
        heights = np.full(BINS, 0.5)
        heights[of["bin"]] = of["n"]
        axes.stairs(heights, edges, baseline=0.5, color=scale.color, ls=scale.line, lw=0.9)
    axes.set_yscale("log")
    axes.set_ylim(0.5, 2 * fullest)
    axes.set_yticks([tick for tick in (1, 10, 100, 1000, 10_000, 100_000) if tick <= 2 * fullest])
    axes.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    axes.minorticks_off()
    _unit(axes)


def _unit(axes: Axes) -> None:
    axes.set_xlim(-0.04, 1.04)
    axes.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
