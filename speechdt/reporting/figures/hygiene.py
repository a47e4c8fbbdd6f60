"""What hygiene would remove: for each check, the share of each category that it flags."""

import pandas as pd
from matplotlib.figure import Figure

from speechdt.reporting.figures.style import COLORS, INK, PAGE, PALE, SMALL, panels, styled


def hygiene(counts: pd.DataFrame) -> Figure:
    """Draw a panel a check, a bar a category.

    Parameters
    ----------
    counts : DataFrame
        From `hygiene.count`.
    """
    checks = list(counts["check"].unique())
    rows, columns = panels(len(checks), 3)
    most = int(counts.groupby("check").size().max())
    with styled():
        figure = Figure(figsize=(PAGE, (0.22 * most + 0.55) * rows + 0.2), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, sharex=True)
        for panel, check in zip(axes.flat, checks, strict=False):
            own = counts[counts["check"] == check].iloc[::-1]
            colors = [COLORS[label == "SPEECH"] for label in own["label"]]
            panel.barh(own["category"], 100 * own["share"], color=colors, height=0.7)
            for place, row in enumerate(own.itertuples()):
                side = "above" if row.label == "NONSPEECH" else "below"
                text = f"{row.flagged:,} of {row.recordings:,}"
                inside = row.share > 0.5
                panel.annotate(
                    text,
                    (100 * row.share, place),
                    xytext=(-3 if inside else 3, 0),
                    textcoords="offset points",
                    ha="right" if inside else "left",
                    va="center",
                    fontsize=SMALL,
                    color="white" if inside else INK,
                )
                limit = f"{side} {row.threshold:g}"
                panel.annotate(
                    limit,
                    (1, place),
                    xycoords=panel.get_yaxis_transform(),
                    xytext=(3, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=SMALL,
                    color=PALE,
                )
            panel.set_title(check, fontweight="bold")
            panel.set_xlim(0, 100)
        for panel in axes.flat[len(checks) :]:
            panel.set_visible(False)
        figure.supxlabel("Recordings that would be removed (%), those with P(speech) …", fontsize=8)
        return figure
