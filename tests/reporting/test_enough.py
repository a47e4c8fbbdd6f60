"""Warnings of few groups, and how many halve an interval."""

import pandas as pd
import pytest
from scipy.stats import t
from support.pages import Page, results

from speechdt.reporting.pages.report.page import render
from speechdt.reporting.tables.enough import FEWEST, halving, warnings


def items(speech, rest):
    rows = [("SPEECH", f"s{group}") for group in range(speech) for _ in range(3)]
    rows += [("NONSPEECH", f"n{group}") for group in range(rest) for _ in range(2)]
    return pd.DataFrame(rows, columns=["label", "group_id"])


@pytest.mark.parametrize("groups", [2, 3, 5, 9])
def test_so_many_groups_and_not_one_fewer_halve_the_interval(groups):
    def width(n):
        return t.ppf(0.975, n - 1) / n**0.5

    more = halving(groups)
    assert width(more) <= width(groups) / 2 < width(more - 1)


def test_a_class_of_a_split_is_named_with_its_groups():
    lines = warnings(pd.DataFrame(), {"dev": items(FEWEST, FEWEST), "test": items(7, 30)})
    (line,) = lines
    assert line.startswith("test has 7 groups of SPEECH ")
    assert line.endswith(f"{halving(7)} groups would halve them.")
    assert "1 group of NONSPEECH" in warnings(pd.DataFrame(), {"dev": items(20, 1)})[0]
    assert warnings(pd.DataFrame(), {"dev": items(FEWEST, FEWEST)}) == []


def test_the_report_warns_beside_its_first_figure():
    page = Page(render(results(1)))
    text = page.html.split('<section id="audiogram"')[1].split("</section>")[0]
    assert "test has 1 group of SPEECH" in text
