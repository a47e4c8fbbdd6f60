"""The paper folder: macros that stand in the tables, and a main.tex that LaTeX takes as it is."""

import re
import shutil

import pandas as pd
import pytest
from matplotlib.figure import Figure
from support.made_outcomes import error_tables, outcome_tables
from support.made_tables import NAMES, make
from support.paper_checks import LINE, check_numbers, needs_pdflatex, numbers, typeset

from speechdt.errors import SpeechdtError
from speechdt.reporting.figures.catalogue import FIGURES
from speechdt.reporting.figures.draw import draw
from speechdt.reporting.figures.style import PAGE, save
from speechdt.reporting.pages import paper, paper_numbers
from speechdt.reporting.pages.paper_tables import PAPER_TABLES
from speechdt.reporting.tables.reading import read_table
from speechdt.statistics.error_rates import TEXT

CITATION = {"title": "A title", "version": "0.1.0", "repository-code": "https://example.org/a_b"}


def write_paper(folder, count, figures, labels=()):
    """Write the tables and the paper folder of so many detectors, with figures as they are."""
    variants = list(NAMES[:count])
    made = make(count)
    errors = error_tables(variants)
    made |= outcome_tables(made, variants) | errors
    (folder / "tables").mkdir()
    for name, table in made.items():
        table.to_csv(folder / "tables" / f"{name}.csv", index=False)
    paper.write(
        folder / "paper",
        {
            name: read_table(folder / "tables" / f"{name}.csv", TEXT if name in errors else ())
            for name in made
        },
        [figures / f"{name}.pdf" for name in FIGURES],
        dict(zip(variants, variants, strict=True)) | dict(labels),
        revision="",
        citation=CITATION,
    )
    return folder


IN_PAPER = [name for name, entry in FIGURES.items() if entry.in_paper]
TAKEN = [name for name in IN_PAPER if name not in paper.COLUMN_FIGURES]
"""Figures that the paper takes as they are."""


@pytest.fixture(scope="module")
def blank(tmp_path_factory):
    """Blank pages instead of figures."""
    folder = tmp_path_factory.mktemp("blank")
    for name in TAKEN:
        save(Figure(figsize=(PAGE, 3)), folder / name, formats=["pdf"])
    return folder


@pytest.fixture(scope="module", params=[1, 5])
def results(request, tmp_path_factory, blank):
    folder = tmp_path_factory.mktemp(f"paper{request.param}")
    return write_paper(folder, request.param, blank)


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    """The figures of five detectors, whose sizes any paper has to bear."""
    folder, made = tmp_path_factory.mktemp("figures"), make(5)
    made |= outcome_tables(made, NAMES[:5]) | error_tables(NAMES[:5])
    for name in TAKEN:
        needed = {table: made[table] for table in FIGURES[name].tables}
        save(draw(name, needed, NAMES[:5]), folder / name, formats=["pdf"])
    return folder


@pytest.fixture
def whole(results, figures, tmp_path):
    """The paper with these."""
    shutil.copytree(results / "paper", tmp_path / "paper")
    shutil.copytree(figures, tmp_path / "paper" / "figures", dirs_exist_ok=True)
    return tmp_path / "paper"


def test_every_number_stands_in_a_table(results):
    assert check_numbers(results) > 40


def test_labels_stand_in_text_and_tables_and_keys_behind_the_numbers(blank, tmp_path):
    write_paper(tmp_path, 2, blank, {"D2": "Silero_6"})
    text = (tmp_path / "paper" / "main.tex").read_text()
    assert r"\DTwoBalancedAccuracyHigh}\,\% for Silero\_6 (AUC \DTwoAuc)" in text
    for file in (tmp_path / "paper" / "tables").glob("*.tex"):
        assert not re.search(r"\bD2\b", file.read_text()), file
    assert r"Silero\_6" in (tmp_path / "paper" / "tables" / "comparison.tex").read_text()
    assert check_numbers(tmp_path) > 40


def test_searches_verdicts_order_bias_and_left_out_corpora_have_macros(results):
    texts = {macro: text for macro, text, *_ in numbers(results)}
    assert {
        *("SearchBaseWinnerMinusControl", "SearchLargeWinnerMinusBaselineHigh"),
        *("SearchBaseWinnerMinusControlGap", "SearchBaseWinnerMinusControlPHolm"),
        *("BThreeSeedOneOrderBias", "BThreeSeedOneOrderFlipped"),
        *("VerdictMinimumOne", "VerdictTargetUndecided", "VerdictLossMaskingBTwoFive"),
        *("LOneOnEscFiveZeroFalseAlarmRateDifferenceLow", "LOneOnMusanAucLeftOut"),
    } <= set(texts)
    counts = [int(texts[f"VerdictMinimum{of}"]) for of in paper_numbers.OUTCOMES.values()]
    written = pd.read_csv(results / "tables" / "verdict.csv")
    assert sum(counts) == (written["level"] == "minimum").sum()


@pytest.mark.parametrize(
    ("macro", "wrong"), [("VerdictMinimumOne", "fulfilled"), ("VerdictMinimumSupported", "17")]
)
def test_a_wrong_outcome_is_found(results, macro, wrong):
    file = results / "paper" / "numbers.tex"
    text = file.read_text()
    try:
        file.write_text(re.sub(rf"({macro}\}}){{[^}}]*}}", rf"\1{{{wrong}}}", text))
        with pytest.raises(AssertionError, match=macro):
            check_numbers(results)
    finally:
        file.write_text(text)


def test_a_wrong_number_is_found(results):
    file = results / "paper" / "numbers.tex"
    text = file.read_text()
    value = re.search(r"BalancedAccuracy\}\{([\d.]+)\}", text)[1]
    try:
        file.write_text(text.replace(f"BalancedAccuracy}}{{{value}}}", "BalancedAccuracy}{12.3}"))
        with pytest.raises(AssertionError, match="BalancedAccuracy"):
            check_numbers(results)
    finally:
        file.write_text(text)


def test_every_macro_is_used_by_its_name_and_numbers_are_not_typed(results):
    text = (results / "paper" / "main.tex").read_text()
    macros = {macro for macro, *_ in numbers(results)}
    body = text.split(r"\section{Results}")[1].split(r"\begin{table")[0]
    used = set(re.findall(r"\\([A-Z][A-Za-z]+)", body))
    assert used
    assert used <= macros
    # What is not a macro in the results is a reference or a variant's name.
    typed = re.findall(r"(?<![A-Za-z{:_])\d+\.\d+", re.sub(r"\\[a-z]+\{[^}]*\}", "", body))
    assert typed == []


def test_all_tables_and_figures_are_taken_in(results):
    text = (results / "paper" / "main.tex").read_text()
    for file in (results / "paper" / "tables").iterdir():
        assert f"\\input{{tables/{file.stem}}}" in text
        assert f"\\ref{{tab:{file.stem}}}" in text
    there = {file.stem for file in (results / "paper" / "figures").iterdir()}
    assert there == set(IN_PAPER)
    assert {"psychometric_snr", "roc"} <= there
    for name in there:
        assert f"figures/{name}.pdf" in text
        assert f"\\ref{{fig:{name}}}" in text
        assert (results / "paper" / "figures" / f"{name}.pdf").stat().st_size > 1000
    alone = {"contrasts"}  # which one detector does not have
    missing = set(PAPER_TABLES) - {file.stem for file in (results / "paper" / "tables").iterdir()}
    assert missing <= (alone if text.count("Accuracy}{") == 1 else set())


def test_figures_keep_their_size_and_fit_the_page(whole):
    for file in (whole / "figures").iterdir():
        width = paper.pdf_width(file.read_bytes())
        assert width <= 7.2 + paper.SLACK_IN, file
        if file.stem in paper.COLUMN_FIGURES:
            assert width == pytest.approx(paper.COLUMN_IN)


@needs_pdflatex
def test_pdflatex_takes_it_without_a_complaint(whole):
    assert typeset(whole) == []


@needs_pdflatex
def test_a_table_that_is_too_wide_and_a_lost_reference_are_noticed(whole):
    text = (whole / "main.tex").read_text().replace("{table*}", "{table}")
    (whole / "main.tex").write_text(text.replace(r"\label{fig:pareto}", ""))
    complaints = " ".join(typeset(whole))
    assert "Overfull" in complaints
    assert "Reference `fig:pareto'" in complaints


def test_macros_are_made_of_letters():
    assert paper_numbers.camel("A1") == "AOne"
    assert paper_numbers.camel("C1_long-name") == "COneLongName"
    line = paper_numbers.macros(
        [paper_numbers.Quoted("AOneDt", "> −5", "tables/a.csv", "variant=A1", "dt_db")]
    ).splitlines()[1]
    assert LINE.fullmatch(line).group(1, 2) == ("AOneDt", r"\ensuremath{> -5}")


def test_two_variants_of_one_macro_are_refused():
    tables = make(2)
    for name in ("matrix", "latency"):
        tables[name] = tables[name].assign(variant=["A-1", "A1"])
    tables["comparisons"] = tables["comparisons"].head(0)
    tables |= error_tables(["A-1", "A1"])
    with pytest.raises(SpeechdtError, match=r"variant=A-1 and variant=A1 give one macro"):
        paper_numbers.quoted(tables)
