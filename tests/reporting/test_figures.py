"""Every figure with one, two and nine variants: complete, legible, and the same bytes twice."""

import os
import pickle
import subprocess
import sys
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from support.made_tables import DURATIONS, ITEMS, NAMES, SNRS, make, make_analysed

from speechdt.reporting.figures.catalogue import FIGURES, FORMATS
from speechdt.reporting.figures.confusion import counts
from speechdt.reporting.figures.draw import draw
from speechdt.reporting.figures.levels import DURATION, SNR, Scale
from speechdt.reporting.figures.style import looks, panels, save

COUNTS = (1, pytest.param(2, marks=pytest.mark.campaign), 9)


def drawn(name, count, **levels):
    tables = make(count, **levels)
    needed = {table: tables[table] for table in FIGURES[name].tables}
    return draw(name, needed, NAMES[:count])


def texts(figure):
    """Return what is written in a figure, its place in pixels, and its size in points."""
    figure.draw_without_rendering()
    unseen = {label for axes in figure.findobj(Axes) for label in unseen_labels(axes)}
    return [
        (text.get_text(), text.get_window_extent(), text.get_fontsize())
        for text in figure.findobj(Text)
        if text.get_text() and text.get_visible() and text not in unseen
    ]


def unseen_labels(axes):
    """Return all texts of hidden axes, and labels of ticks beyond the limits of visible ones."""
    if not axes.get_visible():
        return axes.findobj(Text)
    return [
        label
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    ]


@pytest.fixture(scope="module", params=COUNTS)
def count(request):
    return request.param


@pytest.mark.parametrize("name", FIGURES)
def test_every_variant_is_named_and_nothing_is_clipped_or_hidden(name, count):
    figure = drawn(name, count)
    assert isinstance(figure, Figure)
    written = texts(figure)
    assert set(NAMES[:count]) <= {text for text, _, _ in written}
    check_texts(figure, written)


def check_texts(figure, written):
    frame = figure.bbox.padded(1)
    for text, box, size in written:
        assert size >= 6, text
        assert frame.containsx(box.x0), text
        assert frame.containsx(box.x1), text
        assert frame.containsy(box.y0), text
        assert frame.containsy(box.y1), text
    corners = np.array([box.extents for _, box, _ in written])
    lowest = np.maximum(corners[:, None, :2], corners[None, :, :2])
    highest = np.minimum(corners[:, None, 2:], corners[None, :, 2:])
    over = np.triu((highest - lowest).min(axis=-1) >= 1.5, k=1)  # pixels that two texts share
    assert not over.any(), [(written[i][0], written[j][0]) for i, j in np.argwhere(over)]


DRAW_ALL = """
import pickle, sys
from speechdt.reporting.figures.catalogue import FIGURES
from speechdt.reporting.figures.draw import draw
from speechdt.reporting.figures.style import save
with open(sys.argv[1], "rb") as file:
    figures = pickle.load(file)
for name, (tables, variants) in figures.items():
    needed = {table: tables[table] for table in FIGURES[name].tables}
    save(draw(name, needed, variants), sys.argv[2] + name)
"""


def test_two_runs_write_the_same_bytes(tmp_path):
    figures = {"psychometric_snr": (make(2), NAMES[:2]), "heatmap": (make(1), NAMES[:1])}
    tables = tmp_path / "tables.pickle"
    tables.write_bytes(pickle.dumps(figures))
    for run in ("another", "this"):
        (tmp_path / run).mkdir()
    command = [sys.executable, "-c", DRAW_ALL, tables, f"{tmp_path / 'another'}/"]
    # With hashes of its own; this process has others.
    another = subprocess.Popen(command, env=os.environ | {"PYTHONHASHSEED": "1"})
    for name, (made, variants) in figures.items():
        needed = {table: made[table] for table in FIGURES[name].tables}
        save(draw(name, needed, variants), tmp_path / "this" / name)
    assert another.wait() == 0
    for file in (f"{name}.{suffix}" for name in figures for suffix in FORMATS):
        one, two = ((tmp_path / run / file).read_bytes() for run in ("another", "this"))
        assert one == two, file
        assert b"CreationDate" not in one
    for name in figures:
        root = ElementTree.parse(tmp_path / "this" / f"{name}.svg").getroot()
        assert "date" not in {element.tag.split("}")[-1] for element in root.iter()}


def test_false_alarms_of_the_roc_are_on_a_logarithmic_axis():
    figure = drawn("roc", 2)
    (axes,) = (axes for axes in figure.axes if axes.lines)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert axes.get_xlim()[0] <= 0.01


def test_settings_stay_inside():
    before = dict(mpl.rcParams)
    drawn("pareto", 2)
    assert dict(mpl.rcParams) == before


def test_a_look_depends_on_the_place_in_the_list_alone():
    all_of_them = looks(NAMES)
    assert looks(NAMES[:3]) == {name: all_of_them[name] for name in NAMES[:3]}
    assert len(set(map(str, all_of_them.values()))) == len(NAMES)
    in_grey = [(str(look.line), look.marker) for look in looks(NAMES).values()]
    assert len(set(in_grey)) == len(NAMES)


def test_thresholds_outside_the_range_say_so():
    written = [text for text, _, _ in texts(drawn("psychometric_snr", 4))]
    assert written.count("undefined") == 1  # DT75 of D1 at its own threshold
    assert "> 10" in written
    assert "< −5" in written
    assert "catch" in written
    assert "chance" in written


@pytest.mark.parametrize("count", [3, 5, pytest.param(12, marks=pytest.mark.campaign)])
def test_a_curve_that_does_not_fit_is_marked(count):
    tables = make_analysed(count)
    thresholds = tables["thresholds"].assign(fit_p=1.0)
    needed = {"curves": tables["curves"], "thresholds": tables["thresholds"]}
    assert "poor fit" not in str(texts(draw("psychometric_snr", needed, NAMES[:count])))
    thresholds.loc[thresholds["variant"].isin(NAMES[1:]), "fit_p"] = 0.009
    needed = {"curves": tables["curves"], "thresholds": thresholds}
    figure = draw("psychometric_snr", needed, NAMES[:count])
    written = texts(figure)
    marks = [text for text, _, _ in written if text.startswith("poor fit")]
    named = "poor fit: " + ", ".join(NAMES[1:count])
    if count == 3:  # hits, decisions and accuracy, all in one panel
        assert marks == [named, named, named]
    else:  # a panel for each, and accuracy of all below
        assert marks.count("poor fit") == count - 1
        assert [mark.replace("\n", " ") for mark in marks if ":" in mark] == [named]
    check_texts(figure, written)


def test_curves_lie_over_their_points():
    tables = make(1)
    figure = draw("psychometric_snr", {t: tables[t] for t in ("curves", "thresholds")}, NAMES[:1])
    points = tables["curves"]
    points = points[~points["fitted"] & (points["dimension"] == "snr") & (points["slice"] == "all")]
    marked = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(
        marked[0].get_ydata(), points.loc[points["kind"] == "roc10", "rate"]
    )


def test_a_det_curve_is_the_roc_turned_over_with_its_marks_on_it():
    roc, det = (drawn(name, 1).axes[0] for name in ("roc", "det"))
    for hits, misses in zip(roc.lines, det.lines, strict=False):
        if len(hits.get_xdata()) > 2:
            np.testing.assert_array_equal(hits.get_xdata(), misses.get_xdata())
            np.testing.assert_allclose(misses.get_ydata(), 1 - hits.get_ydata())
    curve, mark = [line for line in det.lines if line.get_color() == det.lines[0].get_color()][:2]
    (x,), (y,) = mark.get_data()
    near = np.abs(curve.get_xdata() - x).argmin()
    assert y == pytest.approx(curve.get_ydata()[near], abs=0.05)


@pytest.mark.parametrize(
    ("name", "levels", "word"),
    [
        ("psychometric_duration", {"durations": (1000,)}, "duration"),
        ("psychometric_snr", {"snrs": (0,)}, "snr"),
    ],
)
def test_a_single_level_has_no_curve(name, levels, word):
    written = texts(drawn(name, 1, **levels))
    assert len(written) == 1
    assert word in written[0][0]


def test_the_heat_map_writes_every_cell():
    metrics = make(2)["metrics"]
    cells = metrics[(metrics["by"] == "cell") & (metrics["metric"] == "balanced_accuracy")]
    written = [text for text, _, _ in texts(drawn("heatmap", 2))]
    expected = [f"{100 * value:.0f}" for value in cells["value"]]
    assert len(expected) == 2 * len(SNRS) * len(DURATIONS)
    for value in set(expected):
        assert written.count(value) >= expected.count(value)


def test_confusion_counts_every_trial_once():
    metrics = make(1)["metrics"]
    table = counts(metrics)
    assert table.sum(axis=1).tolist() == [ITEMS * len(SNRS) * len(DURATIONS)] * 2
    overall = metrics[metrics["by"] == "all"].set_index("metric")["value"]
    assert table.trace() / table.sum() == pytest.approx(overall["accuracy"])


@pytest.mark.parametrize(
    ("count", "most", "shape"),
    [(1, 3, (1, 1)), (3, 3, (1, 3)), (4, 3, (2, 2)), (9, 5, (2, 5)), (12, 4, (3, 4))],
)
def test_panels_fill_their_rows_evenly(count, most, shape):
    assert panels(count, most) == shape


@pytest.mark.parametrize(
    ("dimension", "levels"), [(SNR, [-5.0, 0.0, 20.0]), (DURATION, [200.0, 300.0, 1000.0])]
)
def test_shares_of_a_scale_and_back(dimension, levels):
    scale = Scale(dimension, np.array(levels))
    assert scale.at(0) == pytest.approx(levels[0])
    assert scale.at(1) == pytest.approx(levels[-1])
    assert scale.share(scale.at(0.3)) == pytest.approx(0.3)
    assert scale.catch < scale.lowest
