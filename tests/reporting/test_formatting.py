"""Numbers, intervals and censored thresholds as text, and tables of them."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from support.made_tables import CALIBRATION, DURATIONS, SNRS, make

from speechdt.reporting.tables import (
    formatting,
    latency_text,
    levels_text,
    markup,
    matrix_text,
    thresholds_text,
)
from speechdt.reporting.tables.formatting import MISSING, Threshold
from speechdt.reporting.tables.skill import WORDS

RANGE = (-5.0, 20.0)


@pytest.fixture(scope="module")
def tables():
    return make(4)


@pytest.fixture(scope="module")
def ranges(tables):
    return formatting.tested_ranges(tables["curves"])


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (85.64, 1, "85.6"),
        (-3.96, 1, "−4.0"),
        (-0.04, 1, "0.0"),
        (100 * (1 - 0.9925), 1, "0.8"),  # 0.7499999999999951
        (1234.5, 0, "1,234"),
        (math.nan, 1, MISSING),
        (None, 1, MISSING),
        (pd.NA, 1, MISSING),
    ],
)
def test_number(value, digits, text):
    assert formatting.number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.52266, "0.523"),
        (1.0909, "1.09"),
        (177.4, "177"),
        (3104.9, "3,105"),
        (0.009996, "0.0100"),
        (0.0, "0.00"),
    ],
)
def test_significant(value, text):
    assert formatting.significant(value) == text


@pytest.mark.parametrize(
    ("threshold", "text"),
    [
        (Threshold(0.63, -2.1, 5.0, ""), "0.6 [−2.1, 5.0]"),
        (Threshold(-3.9, -math.inf, -2.0, ""), "−3.9 [< −5, −2.0]"),
        (Threshold(6.0, 1.0, math.inf, ""), "6.0 [1.0, > 20]"),
        (Threshold(math.nan, -math.inf, -math.inf, "<"), "< −5"),
        (Threshold(math.nan, -math.inf, -3.6, "<"), "< −5 [< −5, −3.6]"),
        (Threshold(math.nan, math.inf, math.inf, ">"), "> 20"),
        (Threshold(math.nan, 12.0, math.inf, ">"), "> 20 [12.0, > 20]"),
        (Threshold(math.nan, math.nan, math.nan, "undefined"), "undefined"),
        (Threshold(2.0, math.nan, math.nan, ""), "2.0"),
        (Threshold(math.nan, math.nan, math.nan, ""), MISSING),
        (Threshold(-4.5, -7.2, 24.0, ""), "−4.5 [< −5, > 20]"),  # never extrapolated
        (Threshold(-5 - 1e-9, -math.inf, 20 + 1e-9, ""), "−5.0 [< −5, 20.0]"),
    ],
)
def test_a_threshold_and_its_interval(threshold, text):
    assert threshold.text(RANGE) == text


def test_milliseconds_have_no_decimals():
    assert Threshold(312.77, 200.24, 478.8, "").text((200, 1000)) == "313 [200, 479]"


def test_a_threshold_is_read_from_both_kinds_of_table(tables):
    for _, row in tables["matrix"].iterrows():
        of = (tables["thresholds"]["variant"] == row["variant"]) & (
            tables["thresholds"]["slice"] == "all"
        )
        curves = tables["thresholds"][of & (tables["thresholds"]["dimension"] == "snr")]
        fitted = curves.set_index("kind").loc["detection"]
        ours, theirs = Threshold.of(row, "dt75", "_db"), Threshold.of(fitted, "dt75")
        assert ours.text(RANGE) == theirs.text(RANGE)


@pytest.mark.parametrize("text", ["< −5", "> 20", "undefined", "chance", MISSING])
def test_what_is_no_number_is_explained(text):
    assert formatting.explain(text)


@pytest.mark.parametrize("text", ["0.6", "−3.9", "undefined_behaviour.wav", "<html>", "yes"])
def test_plain_text_is_not_explained(text):
    assert formatting.explain(text) == ""


def test_the_tested_range_is_that_of_the_grid(ranges):
    assert ranges == {
        "snr": (min(SNRS), max(SNRS)),
        "duration": (min(DURATIONS), max(DURATIONS)),
    }


def test_the_matrix_says_every_kind_of_threshold(tables, ranges):
    shown = matrix_text.matrix_table(tables["matrix"], tables["latency"], ranges)
    shown["Variant"] = shown["Variant"].str.split().str[0]  # without the marks of some
    assert shown["Variant"].tolist() == tables["matrix"]["variant"].tolist()
    assert shown["DT75 (dB)"].nunique() == 2  # of those that hear alike, whatever they say, one
    assert re.match(r"^−?\d+\.\d \[.+, .+\]$", shown["DT75 (dB)"][0])
    dt75 = shown.set_index("Variant")["DT75, own θ"]
    assert re.match(r"^−?\d+\.\d \[.+, .+\]$", dt75["D2"])
    assert dt75["D1"] == "undefined"
    assert dt75["A1"].startswith("> 10")
    assert dt75["A2"].startswith("< −5")
    assert re.match(r"^\d+\.\d \[\d+\.\d, \d+\.\d\]$", shown["Accuracy (%)"][0])
    assert not shown.map(lambda cell: re.search(r"\bnan\b", cell.lower()) is not None).any(
        axis=None
    )


def test_a_detector_that_says_yes_to_everything_has_no_threshold_of_its_own(tables, ranges):
    shown = thresholds_text.thresholds_table(tables["thresholds"], ranges, pooled=True)
    of = shown[shown["Variant"] == "D1"]
    assert (of["DT50, own θ"] == "undefined").all()
    assert (of["FA (%)"] == "100.0").all()
    assert (of["DT50"] != "undefined").any()


def test_pooled_thresholds_come_snr_first(tables, ranges):
    shown = thresholds_text.thresholds_table(tables["thresholds"], ranges, pooled=True)
    assert shown["Along"].tolist() == ["SNR (dB)"] * 4 + ["duration (ms)"] * 4
    assert set(shown["At"]) == {"all durations", "all SNRs"}


def test_sliced_thresholds_have_a_column_a_level(tables, ranges):
    shown = thresholds_text.sliced_thresholds_table(tables["thresholds"], ranges, "snr")
    assert list(shown) == ["Variant", "all durations", "200 ms", "500 ms", "1000 ms"]
    shown = thresholds_text.sliced_thresholds_table(tables["thresholds"], ranges, "duration")
    assert list(shown) == ["Variant", "all SNRs", "−5 dB", "0 dB", "10 dB"]


def test_a_breakdown_has_a_column_a_level(tables):
    shown = matrix_text.breakdown_table(tables["metrics"], "snr_db", "balanced_accuracy", "dB")
    assert list(shown) == ["Variant", "−5 dB", "0 dB", "10 dB"]
    categories = ("speech", "music")
    shown = matrix_text.breakdown_table(tables["metrics"], "category", "accuracy", first=categories)
    assert list(shown)[1:3] == list(categories)
    assert shown.shape == (4, 6)


def test_calibration_confidence_and_latency_tables(tables):
    calibrations = dict.fromkeys(tables["matrix"]["variant"], CALIBRATION.to_dict())
    assert len(matrix_text.calibration_table(tables["matrix"])) == 3 * 4
    assert (
        matrix_text.decisions_table(tables["matrix"], calibrations)["Temperature"] == "1.50"
    ).all()
    assert "Gap" in matrix_text.confidence_table(tables["matrix"])
    stages = latency_text.latency_table(tables["latency"])
    assert list(stages)[1:-1] == ["Decode", "Features", "Forward", "Post", "Other", "Total", "CPU"]
    assert stages["Total"][0] == "0.600 (1.10)"
    resources = latency_text.resources_table(tables["latency"], tables["pareto"])
    assert (resources["GPU memory (MiB)"] == MISSING).all()
    assert "yes" in set(resources["Frontier"])


def test_a_doubted_time_has_a_mark_of_its_own_and_each_reason_a_line(tables):
    latency = tables["latency"].assign(trusted=[False, True, False, False], doubt="")
    latency["doubt"] = ["busy", "", "busy", "another machine"]
    stages = latency_text.latency_table(latency)
    assert [total.endswith(" ¶") for total in stages["Total"]] == [True, False, True, True]
    assert list(stages["Variant"]) == list(latency["variant"])  # which marks of skill go behind
    assert latency_text.DOUBTED not in WORDS
    one, _, two, three = latency["variant"]
    assert latency_text.doubt_notes(latency) == [
        f"{one}, {two} ¶: times not to be trusted, busy.",
        f"{three} ¶: time not to be trusted, another machine.",
    ]


def test_a_variant_that_chose_no_options_has_a_dash(tables):
    presentations = tables["presentations"].assign(chosen=np.nan)
    assert (levels_text.presentations_table(presentations)["Options"] == MISSING).all()


def test_a_variant_without_latency_has_a_dash(tables, ranges):
    shown = matrix_text.matrix_table(tables["matrix"], tables["latency"].iloc[:1], ranges)
    assert shown["p50 (ms)"].tolist() == ["0.600", MISSING, MISSING, MISSING]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a|b", "a\\|b"),
        ("**loud**", "\\*\\*loud\\*\\*"),
        ("<img src=x onerror=alert(1)>", "\\<img src=x onerror=alert(1)>"),
        ("[here](javascript:x)", "[here\\](javascript:x)"),
        ("`code`", "\\`code\\`"),
        ("_so_", "\\_so\\_"),
        ("two\nlines", "two lines"),
        ("qwen2_audio (Qwen/Qwen2-Audio-7B)", "qwen2_audio (Qwen/Qwen2-Audio-7B)"),
        ("< −5 [−8, 2]", "< −5 [−8, 2]"),
    ],
)
def test_names_are_no_markdown(name, shown):
    assert f"| {shown.ljust(8)} |" in markup.markdown(pd.DataFrame({"Detector": [name]}), "A note.")


def test_markdown_has_aligned_columns(tables, ranges):
    shown = matrix_text.matrix_table(tables["matrix"], tables["latency"], ranges)
    text = markup.markdown(shown.assign(Backend="a|b"), "A note.")
    *rows, blank, note, below, _, last = text.split("\n")
    assert (blank, note, below, last) == ("", "A note.", "", "")
    assert len({len(row) for row in rows}) == 1
    assert all(len(re.findall(r"(?<!\\)\|", row)) == shown.shape[1] + 1 for row in rows)


def test_latex_rows_are_complete_and_escaped(tables, ranges):
    shown = matrix_text.matrix_table(tables["matrix"], tables["latency"], ranges)
    text = markup.latex(shown, "A note.", labels=2)
    rows = [line for line in text.splitlines() if line.removesuffix("[2pt]").endswith(r"\\")]
    assert all(len(re.findall(r"(?<!\\)&", row)) == shown.shape[1] - 1 for row in rows)
    assert text.count("{") == text.count("}")
    assert text.isascii()
    assert re.search(r"\\begin\{tabular\}\{@\{\}ll(D\{\.\}\{\.\}\{\d+\.\d+\}|c){12}@", text)
    assert r"backend\_0" in text
    assert r"{\scriptsize [" in text


def test_latex_escapes_what_tex_would_take_for_its_own():
    table = pd.DataFrame([[r"a_b%c&d#e$f{g}h~i^j\k", "< −5 [< −5, > 20]"]], columns=["A (%)", "θ"])
    text = markup.latex(table, "")
    assert r"a\_b\%c\&d\#e\$f\{g\}h\textasciitilde{}i\textasciicircum{}j\textbackslash{}k" in text
    assert r"{\scriptsize [$<$ $-$5, $>$ 20]}" in text
    assert r"A & $\theta$" in text


def test_latex_aligns_numbers_at_the_point_and_centres_the_rest():
    table = pd.DataFrame(
        {"Variant": ["A (1)", "B"], "x (ms)": ["−1,234.5 [2, 3]", "> 20"], "y": ["1.25 (3)", "–"]}
    )
    lines = markup.latex(table, "").splitlines()
    assert lines[2] == r"\begin{tabular}{@{}lD{.}{.}{6.1}D{.}{.}{1.2}@{}}"
    assert r"A (1) & -1{,}234.5 & 1.25 \\" in lines
    below = [r"\multicolumn{1}{c}{{\scriptsize " + text + "}}" for text in ("[2, 3]", "(3)")]
    assert f" & {below[0]} & {below[1]} \\\\[2pt]" in lines
    assert r"B & \multicolumn{1}{c}{$>$ 20} & \multicolumn{1}{c}{--} \\[2pt]" in lines
