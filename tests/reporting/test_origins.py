"""Who recognises origins is called out where the report begins, and who hears is not."""

import pandas as pd
from support.origin_observers import planted
from support.pages import Page, results

from speechdt.reporting.pages.report.page import render
from speechdt.reporting.tables.matrix import with_origins
from speechdt.reporting.tables.origins_text import notes, origins_table
from speechdt.statistics.within_origins import by_origin


def measured(**observers):
    """Origins of observers by variant, each as (hearing, knowing)."""
    tables = [
        by_origin(planted(*of), ["both0", "both1", "both2"], replicates=300, seed=2).assign(
            variant=name, trained=bool(of[1])
        )
        for name, of in observers.items()
    ]
    return pd.concat(tables, ignore_index=True)


def test_the_first_page_says_whose_figure_is_of_origins():
    run = results(2)
    names = run.tables["matrix"]["variant"].tolist()
    origins = measured(**{names[0]: (0.0, 2.0), names[1]: (1.0, 0.0)})
    page = Page(render(results(2, {"origins": origins})))
    first = page.html.split("<table")[0]
    assert f"{names[0]}: AUC 0." in first
    assert "Part of the pooled figure is where recordings come from" in first
    assert f"{names[1]}: AUC" not in first
    assert [row[:3] for row in page.rows["origins"][1:4]] == [
        [names[0], "yes", part] for part in ("all", "seen", "unseen")
    ]


def test_a_page_without_origins_says_nothing_of_them():
    assert "recordings come from" not in Page(render(results(1))).html.split("<table")[0]


def test_the_matrix_has_what_is_left_within_origins():
    origins = measured(X=(0.0, 2.0))
    row = with_origins(pd.DataFrame({"variant": ["X"]}), origins).iloc[0]
    assert abs(row["auc_within"] - 0.5) < 0.05
    assert row["auc_pooled_minus_within_low"] > 0
    assert row["auc_unseen_low"] < row["auc_unseen"] < row["auc_unseen_high"]


def test_a_pooled_figure_below_that_within_origins_is_said_the_other_way():
    """Origins of one class that are taken for the other hide hearing."""
    (note,) = notes(measured(X=(1.0, -2.0)))
    assert "hides part" in note


def test_counts_of_groups_stand_beside_the_figures():
    table = origins_table(measured(X=(1.0, 0.0)))
    assert table["Of both classes"].tolist() == [
        "8 (32 + 32 groups)",
        "5 (20 + 20 groups)",
        "3 (12 + 12 groups)",
    ]
