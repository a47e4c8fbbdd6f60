"""Detectors that are worse than chance on dev, or show no skill there, are marked in words."""

import math

import numpy as np
import pandas as pd
import pytest
from support.made_tables import make
from support.pages import Page, results

from speechdt.reporting.pages.report.page import render
from speechdt.reporting.tables import formatting, markup, matrix_text, prompts_text, skill

AUCS = {
    "D2": (0.90, 0.86, 0.94),
    "D1": (0.42, 0.377, 0.46),
    "A1": (0.52, 0.45, 0.58),
    "A2": (0.30, math.nan, math.nan),  # of one group: there is no interval
}


@pytest.fixture(scope="module")
def tables():
    made = make(4)
    for place, name in enumerate(skill.COLUMNS):
        made["matrix"][name] = [AUCS[variant][place] for variant in made["matrix"]["variant"]]
    # Some of the made detectors give one answer alone, which is marked as well.
    made["matrix"] = made["matrix"].assign(recall_speech=0.8, recall_nonspeech=0.7)
    return made


@pytest.mark.parametrize(
    ("low", "high", "mark"),
    [
        (0.1, 0.499, skill.WORSE),
        (0.0, 0.0, skill.WORSE),
        (0.1, 0.5, skill.NONE),
        (0.5 - 1e-12, 0.5 - 1e-12, skill.NONE),  # the same answer to everything, and rounding
        (0.5 + 1e-12, 0.5 + 1e-12, skill.NONE),
        (0.5, 0.9, skill.NONE),
        (0.501, 0.9, ""),
        (math.nan, math.nan, ""),
    ],
)
def test_the_interval_decides(low, high, mark):
    assert skill.mark({"dev_auc": 0.3, "dev_auc_low": low, "dev_auc_high": high}) == mark


def test_several_runs_have_the_means_of_values_and_bounds():
    runs = [{"auc": 0.4, "auc_low": 0.3, "auc_high": 0.45}]
    runs += [{"auc": 0.6, "auc_low": 0.5, "auc_high": 0.75}]
    assert skill.mean_auc(runs) == pytest.approx(
        {"dev_auc": 0.5, "dev_auc_low": 0.4, "dev_auc_high": 0.6}
    )
    one_group = {"auc": 0.5, "auc_low": None, "auc_high": None}
    means = skill.mean_auc([*runs, one_group])
    assert means["dev_auc"] == pytest.approx(0.5)
    assert math.isnan(means["dev_auc_low"])


def test_rows_are_marked_and_explained(tables):
    ranges = formatting.tested_ranges(tables["curves"])
    shown = matrix_text.matrix_table(tables["matrix"], tables["latency"], ranges)
    assert shown["Variant"].tolist() == ["D2", "D1 †", "A1 ‡", "A2"]
    worse, none = formatting.model_notes(tables["matrix"])[1:]
    assert worse == (
        "D1 † — worse than chance on dev (AUC: D1 0.420 [0.377, 0.460]): are its answers exchanged?"
    )
    assert none.startswith("A1 ‡ — no skill shown on dev (AUC: A1 0.520 [0.450, 0.580]): ")
    text = markup.latex(shown, worse, labels=2)
    assert r"D1 $\dagger$ & " in text
    assert r"A1 $\ddagger$ & " in text


def test_the_report_says_it_beside_the_matrix(tables):
    text = render(results(4, tables))
    assert "D1 † — worse than chance on dev (AUC: D1 0.420 [" in text
    page = Page(text)
    assert [row[0] for row in page.rows["comparison"][1:]] == [
        *("D2", "D1 † below chance on dev", "A1 ‡ no skill shown on dev", "A2")
    ]
    assert "worse than chance on dev" in "".join(page.text)


def test_one_line_names_those_that_are_worse(tables):
    line = skill.warning(tables["matrix"], ["D1", "D2", "A1"])
    assert line.startswith("warning: worse than chance on dev (AUC: D1 0.420 [")
    assert line.endswith("]): are its answers exchanged?")
    assert skill.warning(tables["matrix"], ["D2", "A1"]) == ""
    both = tables["matrix"].assign(dev_auc_low=0.1, dev_auc_high=0.2)
    assert skill.warning(both, ["D1", "D2"]).endswith("are their answers exchanged?")
    assert skill.warning(both.drop(columns=list(skill.COLUMNS)), ["D1"]) == ""


def test_every_table_of_the_report_marks_its_variants(tables):
    page = Page(render(results(4, {"matrix": tables["matrix"]})))
    for table in ("comparison", "decisions", "confidence", "by-snr"):
        names = {row[0] for row in page.rows[table][1:]}
        assert {"D1 † below chance on dev", "A1 ‡ no skill shown on dev"} <= names, table
        assert not {"D1", "A1"} & names, table


def test_models_that_would_rather_say_something_else_are_named():
    """Their log-odds of two answers that they do not give look like any other's."""
    biases = pd.DataFrame({"variant": ["A1", "A2", "B1"], "answer_mass": [0.499, 0.5, np.nan]})
    line = skill.mass_warning(biases)
    assert line.startswith("warning: on dev A and B together have little of the probability (A1 49")
    assert "A2" not in line
    assert "B1" not in line
    assert skill.mass_warning(biases[1:]) == ""
    assert skill.mass_warning(biases[["variant"]]) == ""
    assert prompts_text._mass(biases.loc[0]) == "49.9 (!)"
    assert prompts_text._mass(biases.loc[1]) == "50.0"


def test_one_answer_to_every_clip_is_said_in_words(tables):
    matrix = tables["matrix"].assign(dev_auc_low=0.6, dev_auc_high=0.9)
    matrix.loc[matrix["variant"] == "D1", ["recall_speech", "recall_nonspeech"]] = (0.0, 1.0)
    assert skill.words(matrix) == {"D1": "gives one answer to every clip"}
    assert skill.unskilled(matrix) == skill.words(matrix)
    assert skill.sentences(matrix) == ["D1: gives one answer to every clip."]
    (note,) = skill.notes(matrix)
    assert note.startswith("D1 § — the same answer to every test clip (AUC: D1 0.420 ")
    assert skill.warning(matrix, ["D1", "D2"]) == (
        "warning: the same answer to every test clip: D1"
    )
    assert r"D1 \S" in markup.latex(pd.DataFrame({"Variant": ["D1 §"]}), "", labels=1)
    page = Page(render(results(4, {"matrix": matrix})))
    assert "D1 § gives one answer to every clip" in [row[0] for row in page.rows["by-snr"]]
