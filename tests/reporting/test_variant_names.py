"""One name and one colour of a variant everywhere."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from support.made_tables import make
from support.pages import results

from speechdt.reporting.figures.draw import draw
from speechdt.reporting.figures.style import COLORS, looks
from speechdt.reporting.pages.report.chart_parts import colours
from speechdt.reporting.pages.report.charts import charts
from speechdt.reporting.pages.report.page import render
from speechdt.reporting.tables.names import legend, renamed
from speechdt.workflow.labels import labels
from speechdt.workflow.variants import ConfigError


def lab(color):
    """Return CIE L*a*b* of a colour, after IEC 61966-2-1 and CIE 15."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ linear / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_sixteen_variants_have_sixteen_colours_that_differ():
    names = [f"V{number}" for number in range(16)]
    assert len({look.color for look in looks(names).values()}) == 16
    nearest = min(np.linalg.norm(lab(a) - lab(b)) for a, b in combinations(COLORS, 2))
    assert nearest > 20


def test_charts_and_figures_share_the_colours():
    tables = make(3)
    names = list(tables["matrix"]["variant"])
    assert colours(names) == {name: look.color for name, look in looks(names).items()}
    made = charts(tables, names)
    assert set(made) == {
        *("psychometric_snr", "psychometric_duration", "roc", "score_shares", "levels", "pareto"),
        "det",
    }
    for spec in made.values():
        assert spec["params"][0] == {"name": "shown", "value": names}


def test_a_chart_marks_times_that_are_not_to_be_trusted():
    tables = make(2)
    tables["pareto"] = tables["pareto"].assign(trusted=[True, False])
    first, second = tables["pareto"]["variant"]
    rows = charts(tables, [first, second])["pareto"]["data"]["values"]
    shown = [(row["name"], row["time"]) for row in rows]
    assert shown == [(first, "can be quoted"), (f"{second} ¶", "not to be trusted")]


def test_a_label_takes_the_place_of_the_key():
    tables = make(2)
    names = {"D2": "Silero", "D1": "D1"}
    called = {key: renamed(table, names) for key, table in tables.items()}
    given = results(2)
    given = replace(
        given,
        tables=given.tables | {key: called[key] for key in given.tables if key in called},
        calibrations=dict.fromkeys(("Silero", "D1"), given.calibrations["D1"]),
        names=names,
    )
    assert given.variants == ["Silero", "D1"]
    assert given.called == {"D2": "Silero", "D1": "D1"}
    page = render(given)
    assert '<th scope="row">Silero</th>' in page
    assert "In CSV files, folders and criteria, Silero is D2." in page
    needed = {name: tables[name] for name in ("score_shares", "operating_points")}
    figure = draw("score_shares", needed, ["D2", "D1"], names)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Silero", "D1"]


def test_names_reach_columns_that_are_about_a_variant():
    table = pd.DataFrame({"one": ["A"], "other": ["B"], "rate_A": [0.1]})
    assert renamed(table, {"A": "Ann"}).to_dict("list") == {
        **{"one": ["Ann"], "other": ["B"]},
        "rate_Ann": [0.1],
    }
    assert renamed(table, {"A": "A"}) is table


def test_a_sentence_says_which_key_is_behind_a_label():
    assert legend({"A": "A"}) == ""
    sentence = legend({"A": "Ann", "B": "B", "C": "Carl"})
    assert sentence == "In CSV files, folders and criteria, Ann is A, Carl is C."


def test_two_labels_alike_are_refused():
    assert labels({"A": {"label": "x"}, "B": {}, "C": None}) == {"A": "x", "B": "B"}
    with pytest.raises(ConfigError, match=r"variants.B: label 'A' is that of A, too"):
        labels({"A": {}, "B": {"label": "A"}})
