"""Accuracy against latency, with the frontier."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from matplotlib.transforms import Bbox

from speechdt.reporting.figures.style import INK, PALE, Look, looks, mark_chance, styled
from speechdt.reporting.tables.latency_text import DOUBTED

WIDTH, HEIGHT = 5.0, 3.4
"""Of the figure in inches, unless told otherwise."""
PLACES = tuple(
    (float(distance * np.cos(angle)), float(distance * np.sin(angle)))
    for distance in (6, 9, 14, 20, 28)
    for angle in np.radians([35, 145, -35, -145, 0, 180, 75, -75, 105, -105])
)
"""Where a name may stand, in points from its variant, the best first."""
MISTAKEN = 50
"""Overlap in square pixels that is better than a name nearer to another point than its own."""
CHANCE = 50


class Point(NamedTuple):
    """A variant: ms and percent with their intervals."""

    latency: float
    accuracy: float
    low: float
    high: float
    fast: float
    slow: float
    on_frontier: bool
    trusted: bool


def pareto(
    pareto: pd.DataFrame, variants: Sequence[str], width: float = WIDTH, height: float = HEIGHT
) -> Figure:
    """Draw balanced accuracy against the median latency of one clip, with both intervals.

    Parameters
    ----------
    pareto : DataFrame
        The table of this name.
    variants : sequence of str
        In the order that gives each its look.
    width, height : float
        Of the figure in inches.
    """
    points = _points(pareto)
    look = looks(variants)
    with styled():
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        for variant, style in look.items():
            _draw(axes, points[variant], style)
        axes.plot(*zip(*_frontier(points), strict=True), color=PALE, lw=1, zorder=1)
        trusted = all(point.trusted for point in points.values())
        _scales(axes, [point.latency for point in points.values()], trusted)
        _names(figure, axes, {variant: points[variant] for variant in look})
        return figure


def _points(table: pd.DataFrame) -> dict[str, Point]:
    names = ["latency_p50_ms", *(f"balanced_accuracy{end}" for end in ("", "_low", "_high"))]
    names += [f"latency_p50_ms{end}" for end in ("_low", "_high")]
    numbers = (table[names].to_numpy(float) * [1, 100, 100, 100, 1, 1]).tolist()
    columns = (table[column].tolist() for column in ("variant", "on_frontier", "trusted"))
    points = {}
    for (latency, accuracy, low, high, fast, slow), variant, best, trusted in zip(
        numbers, *columns, strict=True
    ):
        interval = (low, high, fast, slow)
        points[variant] = Point(latency, accuracy, *interval, bool(best), bool(trusted))
    return points


def _frontier(points: dict[str, Point]) -> list[tuple[float, float]]:
    """Return the corners of the line that no point lies above, from left to right."""
    best = sorted(point for point in points.values() if point.on_frontier)
    corners = [(best[0].latency, best[0].accuracy)]
    for last, point in pairwise(best):
        corners += [(point.latency, last.accuracy), (point.latency, point.accuracy)]
    return corners


def _draw(axes: Axes, point: Point, look: Look) -> None:
    axes.plot([point.latency] * 2, [point.low, point.high], color=look.color, lw=1, zorder=2)
    axes.plot([point.fast, point.slow], [point.accuracy] * 2, color=look.color, lw=1, zorder=2)
    face = look.color if point.on_frontier else "white"
    axes.plot([point.latency], [point.accuracy], **look.marked, mfc=face, ms=6, zorder=3)


def _scales(axes: Axes, latency: list[float], trusted: bool) -> None:
    low, high = min(latency), max(latency)
    room = max(high / low, 2.0) ** 0.15
    axes.set_xscale("log")
    axes.set_xlim(low / room, high * room)
    axes.xaxis.set_major_locator(LogLocator(subs=_subdivisions(high / low)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms:,g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(
        "Latency of one clip, median (ms)" + ("" if trusted else f"; {DOUBTED}: not to be trusted")
    )
    axes.set_ylabel("Balanced accuracy (%)")
    bottom, top = axes.get_ylim()
    axes.set_ylim(min(bottom, CHANCE - 2), min(top, 101))
    mark_chance(axes, CHANCE)


def _subdivisions(span: float) -> tuple[int, ...]:
    """Return which multiples of each power of ten get a tick."""
    if span < 5:
        return (1, 2, 3, 5, 7)
    return (1, 2, 5) if span < 500 else (1,)


def _names(figure: Figure, axes: Axes, points: dict[str, Point]) -> None:
    """Write each variant's name where it hides no other name, point or interval."""
    figure.draw_without_rendering()  # settles the layout, so that places in pixels are final
    taken = [box for point in points.values() for box in _drawn(axes, point)]
    taken += [_box(axes, start, end) for start, end in pairwise(_frontier(points))]
    left, right = axes.get_xlim()
    taken.append(_box(axes, (left, CHANCE), (right, CHANCE)))
    inside = axes.get_window_extent()
    for variant, point in points.items():
        at = (point.latency, point.accuracy)
        text = variant if point.trusted else f"{variant} {DOUBTED}"
        name = axes.annotate(text, at, xytext=PLACES[0], textcoords="offset points", color=INK)
        others = [other for other in points.values() if other is not point]
        costs = []
        for place in PLACES:
            _put(name, place)
            box = name.get_window_extent().padded(1)
            outside = box.width * box.height - _overlap(box, inside)
            hidden = sum(_overlap(box, other) for other in taken)
            costs.append(outside + hidden + MISTAKEN * _mistaken(axes, box, point, others))
        _put(name, PLACES[int(np.argmin(costs))])
        taken.append(name.get_window_extent().padded(1))


def _put(name: Annotation, place: tuple[float, float]) -> None:
    """Move a name to a place, its near side towards its point."""
    x, y = place
    name.set_position(place)
    name.set_horizontalalignment("left" if x > 4 else "right" if x < -4 else "center")
    name.set_verticalalignment("bottom" if y > 4 else "top" if y < -4 else "center")


def _mistaken(axes: Axes, box: Bbox, point: Point, others: list[Point]) -> int:
    """Count the points that are nearer to a name than its own is."""
    away = [_distance(axes, box, other) for other in others]
    own = _distance(axes, box, point)
    return sum(distance <= own for distance in away)


def _distance(axes: Axes, box: Bbox, point: Point) -> float:
    """Return the distance in pixels between a box and a point."""
    x, y = axes.transData.transform((point.latency, point.accuracy))
    return float(np.hypot(x - np.clip(x, box.x0, box.x1), y - np.clip(y, box.y0, box.y1)))


def _drawn(axes: Axes, point: Point) -> list[Bbox]:
    """Return the boxes of a point and of its intervals, in pixels."""
    at = (point.latency, point.accuracy)
    interval = _box(axes, (point.latency, point.low), (point.latency, point.high))
    across = _box(axes, (point.fast, point.accuracy), (point.slow, point.accuracy))
    return [interval, across, _box(axes, at, at).padded(4)]


def _box(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> Bbox:
    """Return the box in pixels of a line that runs to the right or up."""
    return Bbox(axes.transData.transform([start, end])).padded(2)


def _overlap(one: Bbox, other: Bbox) -> float:
    """Return the area in square pixels that two boxes share."""
    shared = Bbox.intersection(one, other)
    return float(shared.width * shared.height) if shared else 0.0
