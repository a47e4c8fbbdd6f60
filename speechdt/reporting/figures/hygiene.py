"""Share of each category that each hygiene check flags."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from speechdt.reporting.figures.style import COLORS, INK, PAGE, SMALL, beside, panels, styled


def hygiene(hygiene: pd.DataFrame, variants: Sequence[str]) -> Figure:
    """Draw a panel a check, a bar a category.

    Parameters
    ----------
    hygiene : DataFrame
        The table of this name.
    variants : sequence of str
        Not used: checks are drawn, in the order of the table.
    """
    checks = list(hygiene["check"].unique())
    rows, columns = panels(len(checks), 3)
    most = int(hygiene.groupby("check").size().max())
    with styled():
        figure = Figure(figsize=(PAGE, (0.22 * most + 0.55) * rows + 0.2), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, sharex=True)
        for panel, check in zip(axes.flat, checks, strict=False):
            _bars(panel, hygiene[hygiene["check"] == check].iloc[::-1])
            panel.set_title(check, fontweight="bold")
            panel.set_xlim(0, 100)
        for panel in axes.flat[len(checks) :]:
            panel.set_visible(False)
        figure.supxlabel("Recordings that would be removed (%), those with P(speech) …", fontsize=8)
        return figure


def _bars(axes: Axes, counts: pd.DataFrame) -> None:
    """Draw a check: recordings in numbers on the bars, its thresholds beside them."""
    colors = [COLORS[label == "SPEECH"] for label in counts["label"]]
    axes.barh(counts["category"], 100 * counts["share"], color=colors, height=0.7)
    for place, (_, row) in enumerate(counts.iterrows()):
        inside = bool(row["share"] > 0.5)
        axes.annotate(
            f"{row['flagged']:,} of {row['recordings']:,}",
            (100 * row["share"], place),
            xytext=(-3 if inside else 3, 0),
            textcoords="offset points",
            ha="right" if inside else "left",
            va="center",
            fontsize=SMALL,
            color="white" if inside else INK,
        )
        side = "above" if row["label"] == "NONSPEECH" else "below"
        beside(axes, place, f"{side} {row['threshold']:g}", gap=3)
