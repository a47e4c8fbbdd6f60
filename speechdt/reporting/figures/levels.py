"""X-axis of psychometric curves: tested levels in dB or ms, and a place for catch trials."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from speechdt.reporting.figures.style import PALE, PAPER
from speechdt.reporting.tables.formatting import minus

MARGIN = 0.05
"""Room beside the outermost level, as a share of the tested range."""
CATCH = 0.2
"""Distance of the catch trials left of the lowest level, as a share of the range."""
EDGE = 0.06
"""Distance outside the tested range at which a threshold beyond it is drawn, likewise."""
CROWDED = 0.05
"""Levels nearer than this share of the range share one label; in panels that stand two a row."""


class Dimension(NamedTuple):
    """Dimension of a curve, by its name in the tables."""

    name: str
    label: str
    logarithmic: bool


SNR = Dimension("snr", "SNR (dB)", False)
DURATION = Dimension("duration", "Duration (ms)", True)


class Scale(NamedTuple):
    """Places on the x-axis.

    Attributes
    ----------
    dimension : Dimension
    levels : (L,) float array
        Tested levels, ascending, in dB or ms; at least two.
    """

    dimension: Dimension
    levels: NDArray[np.float64]

    @property
    def lowest(self) -> float:
        """The lowest tested level."""
        return float(self.levels[0])

    @property
    def highest(self) -> float:
        """The highest tested level."""
        return float(self.levels[-1])

    def at(self, share: float) -> float:
        """Return the place at a share of the tested range: 0 its low end, 1 its high end."""
        if self.dimension.logarithmic:
            return float(self.lowest * (self.highest / self.lowest) ** share)
        return self.lowest + share * (self.highest - self.lowest)

    def share(self, level: float) -> float:
        """Return where a level lies in the tested range, the inverse of `at`."""
        if self.dimension.logarithmic:
            return float(np.log(level / self.lowest) / np.log(self.highest / self.lowest))
        return (level - self.lowest) / (self.highest - self.lowest)

    @property
    def catch(self) -> float:
        """The place of the catch trials."""
        return self.at(-CATCH)

    def dress(self, axes: Axes, *, catch: bool, label: bool = True) -> None:
        """Set limits, ticks and label; `catch` makes a place for the catch trials at the left."""
        if self.dimension.logarithmic:
            axes.set_xscale("log")
        axes.set_xlim(self.at(-CATCH - MARGIN if catch else -EDGE - MARGIN), self.at(1.0 + EDGE))
        place = axes.get_subplotspec()
        abreast = place.get_gridspec().ncols if place else 1
        ticks = self._ticks(CROWDED * max(abreast - 1, 1))
        if catch:
            axes.axvspan(axes.get_xlim()[0], self.at(-CATCH + MARGIN), color=PAPER, lw=0, zorder=0)
            ticks = {self.catch: "catch", **ticks}
        axes.set_xticks(list(ticks), list(ticks.values()))
        axes.minorticks_off()
        for end in (self.lowest, self.highest):
            axes.axvline(end, color=PALE, lw=0.4, ls=":", zorder=0)
        if label:
            axes.set_xlabel(self.dimension.label)

    def _ticks(self, crowded: float) -> dict[float, str]:
        """Return the levels with their labels, empty where two would collide."""
        ticks: dict[float, str] = {}
        last = -np.inf
        for level in self.levels.tolist():
            room = self.share(level) - last > crowded
            ticks[level] = minus(f"{level:g}") if room else ""
            last = self.share(level) if room else last
        return ticks
