"""The paper folder: macros that stand in the tables, and a main.tex that LaTeX takes as it is."""

import importlib.util
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from support.criteria import PLAN
from support.made_answers import made_decided, made_sources
from support.made_tables import NAMES, make
from support.paper_checks import LINE, check_numbers, needs_pdflatex, numbers, typeset

from speechdt.errors import SpeechdtError
from speechdt.prompts.comparison import all_searches, compare_search
from speechdt.prompts.order_bias import order_bias
from speechdt.reporting.figures.catalogue import FIGURES
from speechdt.reporting.figures.draw import draw
from speechdt.reporting.figures.style import save
from speechdt.reporting.pages import paper, paper_numbers
from speechdt.reporting.tables import verdict
from speechdt.reporting.tables.measured import Run
from speechdt.statistics import error_rates
from speechdt.statistics.leave_one_out import compared

CITATION = {"title": "A title", "version": "0.1.0", "repository-code": "https://example.org/a_b"}


def error_tables(variants):
    """Return errors and errors_common, the figures of one detector under every name."""
    answers = error_rates.answers(made_decided(), made_sources())
    options = {"replicates": 40, "seed": 1}
    found = {
        "errors": error_rates.error_rates(answers, **options),
        "errors_common": error_rates.common_errors(answers, **options),
    }
    one = {name: table[table["variant"] == "D1"] for name, table in found.items()}
    return {
        name: pd.concat([table.assign(variant=variant) for variant in variants])
        for name, table in one.items()
    }


def outcome_tables(made, variants):
    """Return what a run has besides: searches, order bias, verdict, and a corpus left out."""
    rng = np.random.default_rng(3)
    trials = pd.DataFrame({"group_id": [f"g{place % 8}" for place in range(160)]})
    trials["label"] = np.where(np.arange(160) % 8 < 4, "SPEECH", "NONSPEECH")
    trials["trial_id"] = trials.index.astype(str)
    for name in ("baseline", "winner", "control"):
        trials[name] = np.clip((trials["label"] == "SPEECH") * 0.3 + rng.random(160), 0.01, 0.99)
    both = pd.concat([trials.assign(split=split) for split in ("dev", "test")])
    found = compare_search(both, replicates=100, permutations=99, seed=1)
    run = Run(
        *(made[name] for name in ("matrix", "comparisons", "metrics", "latency", "training")),
        adapters={},
        judged=[variants[-1]],
        baselines=["D1", "D2"],
    )
    bias = order_bias(rng.normal(0, 1, (2, 60)), np.arange(60) < 30)
    decided = trials.assign(speech=trials["label"] == "SPEECH", decided=trials["winner"] > 0.6)
    scores = {name: decided["winner"] for name in ("p_speech", "p_temperature", "p_platt")}
    decided = decided.assign(**scores, item_id=decided["group_id"])
    left_out = [
        compared(part, part.assign(decided=part["baseline"] > 0.6), replicates=100, seed=1).assign(
            corpus=corpus, variant="L1", trained=True
        )
        for corpus, part in (("esc50", decided[~decided["speech"]]), ("musan", decided))
    ]
    return {
        "searches": all_searches([found.assign(search="base"), found.assign(search="large")]),
        "order_bias": pd.DataFrame([{"variant": "B3.seed1", **bias}]),
        "verdict": pd.DataFrame(verdict.findings(run, PLAN)),
        "leave_one_out": pd.concat(left_out),
    }


def write_paper(root, folder, count):
    """Write the tables and the paper folder of so many detectors, by the workflow's own script."""
    location = root / "rules" / "scripts" / "reporting" / "write_paper.py"
    spec = importlib.util.spec_from_file_location("write_paper", location)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    variants = list(NAMES[:count])
    made, errors = make(count), error_tables(variants)
    made |= outcome_tables(made, variants)
    (folder / "tables").mkdir()
    for name, table in (made | errors).items():
        table.to_csv(folder / "tables" / f"{name}.csv", index=False)
    (folder / "figures").mkdir()
    for name, entry in FIGURES.items():
        if name not in paper.COLUMN_FIGURES:
            needed = {table: made[table] for table in entry.tables}
            save(draw(name, needed, variants), folder / "figures" / name, formats=["pdf"])
    out = folder / "paper"
    given = SimpleNamespace(
        tables=[folder / "tables" / f"{name}.csv" for name in made],
        errors=[folder / "tables" / f"{name}.csv" for name in errors],
        figures=[folder / "figures" / f"{name}.pdf" for name in FIGURES],
    )
    outputs = {name: out / name for name in ("tables", "figures")}
    outputs |= {"main": out / "main.tex", "numbers": out / "numbers.tex"}
    outputs |= {"provenance": out / "numbers.csv"}
    script.main(given, variants, CITATION, folder, SimpleNamespace(**outputs))
    return folder


@pytest.fixture(scope="module", params=[1, 9])
def results(request, root, tmp_path_factory):
    return write_paper(root, tmp_path_factory.mktemp(f"paper{request.param}"), request.param)


def test_every_number_stands_in_a_table(results):
    assert check_numbers(results) > 40


def test_searches_verdicts_order_bias_and_left_out_corpora_have_macros(results):
    known = {macro: text for macro, text, *_ in numbers(results)}
    assert {
        *("SearchBaseWinnerMinusControl", "SearchLargeWinnerMinusBaselineHigh"),
        *("SearchBaseWinnerMinusControlGap", "SearchBaseWinnerMinusControlPHolm"),
        *("BThreeSeedOneOrderBias", "BThreeSeedOneOrderFlipped"),
        *("VerdictMinimumOne", "VerdictTargetUndecided", "VerdictLossMaskingBTwoFive"),
        *("LOneOnEscFiveZeroFalseAlarmRateDifferenceLow", "LOneOnMusanAucLeftOut"),
    } <= set(known)
    counts = [int(known[f"VerdictMinimum{of}"]) for of in paper_numbers.OUTCOMES.values()]
    written = pd.read_csv(results / "tables" / "verdict.csv")
    assert sum(counts) == (written["level"] == "minimum").sum()


@pytest.mark.parametrize(
    ("macro", "wrong"), [("VerdictMinimumOne", "fulfilled"), ("VerdictMinimumMet", "17")]
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
    known = {macro for macro, *_ in numbers(results)}
    body = text.split(r"\section{Results}")[1].split(r"\begin{table")[0]
    used = set(re.findall(r"\\([A-Z][A-Za-z]+)", body))
    assert used
    assert used <= known
    # What is not a macro in the results is a reference or a variant's name.
    typed = re.findall(r"(?<![A-Za-z{:_])\d+\.\d+", re.sub(r"\\[a-z]+\{[^}]*\}", "", body))
    assert typed == []


def test_all_tables_and_figures_are_taken_in(results):
    text = (results / "paper" / "main.tex").read_text()
    for file in (results / "paper" / "tables").iterdir():
        assert f"\\input{{tables/{file.stem}}}" in text
        assert f"\\ref{{tab:{file.stem}}}" in text
    for name in FIGURES:
        assert f"figures/{name}.pdf" in text
        assert f"\\ref{{fig:{name}}}" in text
        assert (results / "paper" / "figures" / f"{name}.pdf").stat().st_size > 1000
    alone = {"contrasts"}  # which one detector does not have
    missing = set(paper.PAPER_TABLES) - {
        file.stem for file in (results / "paper" / "tables").iterdir()
    }
    assert missing <= (alone if text.count("Accuracy}{") == 1 else set())


def test_figures_keep_their_size_and_fit_the_page(results):
    for file in (results / "paper" / "figures").iterdir():
        width = paper.pdf_width(file.read_bytes())
        assert width <= 7.2 + paper.SLACK_IN, file
        if file.stem in paper.COLUMN_FIGURES:
            assert width == pytest.approx(paper.COLUMN_IN)


@needs_pdflatex
def test_pdflatex_takes_it_without_a_complaint(results):
    assert typeset(results / "paper") == []


@needs_pdflatex
def test_a_table_that_is_too_wide_and_a_lost_reference_are_noticed(results, tmp_path):
    shutil.copytree(results / "paper", tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "main.tex").read_text().replace("{table*}", "{table}")
    (tmp_path / "main.tex").write_text(text.replace(r"\label{fig:pareto}", ""))
    found = " ".join(typeset(tmp_path))
    assert "Overfull" in found
    assert "Reference `fig:pareto'" in found


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
