"""Style of all figures: widths, fonts, and a colour, a line and a marker for each variant."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from speechdt.reporting.figures.catalogue import FORMATS

COLUMN, PAGE = 3.5, 7.2
"""Width in inches of one column and of the page of a two-column paper."""

# Okabe & Ito's palette without yellow, which a thin line on white paper does not carry; behind it
# colours that differ from these and from each other, so that 16 variants have one each.
COLORS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"),
    *("#6A3D9A", "#A50F2D", "#9ACD00", "#7A4A12", "#FF4FA3", "#00D5C0", "#7F7F7F"),
    *("#2B2BFF", "#4D6B53"),
)
LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.2, 1, 1.2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", ">", "*")
INK, PALE, PAPER = "#222222", "#8a8a8a", "#f0f0f0"
"""Text, guide lines, and backgrounds."""
SMALL = 6.5
"""Size in points of what is written inside panels."""
SCREEN_DPI = 126
"""Of shaded areas in an SVG, which pages show at 1.75 pixels a point."""

SETTINGS: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 8,
    "figure.dpi": 100,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
    "font.size": 8,
    "hatch.linewidth": 0.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.8,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    "pdf.fonttype": 42,  # journals refuse Type 3
    "savefig.dpi": 300,
    "svg.fonttype": "path",
    "svg.hashsalt": "speechdt",  # otherwise ids are random
    "text.color": INK,
    "xtick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.labelsize": 7,
    "ytick.major.width": 0.6,
}


class Look(NamedTuple):
    """Look of a variant in every figure."""

    color: str
    line: Any
    marker: str

    @property
    def marked(self) -> dict[str, Any]:
        """Keyword arguments of `Axes.plot` for its points."""
        return {"color": self.color, "marker": self.marker, "linestyle": "none"}


def looks(variants: Sequence[str]) -> dict[str, Look]:
    """Return the look of each variant, which depends on its place in the list alone."""
    return {
        variant: Look(
            COLORS[place % len(COLORS)], LINES[place % len(LINES)], MARKERS[place % len(MARKERS)]
        )
        for place, variant in enumerate(variants)
    }


@contextmanager
def styled() -> Iterator[None]:
    """Draw the block with `SETTINGS`, whatever matplotlib is set to outside."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)  # type: ignore[arg-type]  # it lists every key by name
        yield


def most_columns(count: int) -> int:
    """Return how many panels of a page's width stand in a row, so that a dozen fit a page."""
    return 3 if count <= 9 else 4


def panels(count: int, most: int) -> tuple[int, int]:
    """Return rows and columns for `count` panels, at most `most` in a row, rows evenly full."""
    rows = -(-count // most)
    return rows, -(-count // rows)


def mark_chance(axes: Axes, level: float) -> None:
    """Draw a line at `level` and call it chance."""
    axes.axhline(level, color=PALE, lw=0.6, zorder=0)
    beside(axes, level, "chance")


def beside(axes: Axes, level: float, text: str, gap: float = 2) -> None:
    """Write small text at a level of the y-axis, outside of the panel where nothing is hidden."""
    axes.annotate(
        text,
        (1, level),
        xycoords=axes.get_yaxis_transform(),
        xytext=(gap, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
        color=PALE,
    )


def outside(axes: NDArray[Any], shown: int) -> None:
    """Hide the panels behind the first `shown`, and give ticks to the lowest one of each column."""
    for panel in axes.flat[shown:]:
        panel.set_visible(False)
    for column in axes.T:
        [panel for panel in column if panel.get_visible()][-1].tick_params(labelbottom=True)


def message(text: str) -> Figure:
    """Return a figure that says in words why there is nothing to draw."""
    figure = Figure(figsize=(PAGE, 1))
    figure.text(0.5, 0.5, text, ha="center", va="center")
    return figure


def save(figure: Figure, stem: Path | str, formats: Sequence[str] = FORMATS) -> None:
    """Write ``stem.pdf``, ``.svg`` and ``.png``; the same figure gives the same bytes."""
    without_date: dict[str, Any] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
    with styled():
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once, alike in all formats
        for suffix in formats:
            dpi = SCREEN_DPI if suffix == "svg" else SETTINGS["savefig.dpi"]
            figure.savefig(f"{stem}.{suffix}", dpi=dpi, metadata=without_date.get(suffix))
