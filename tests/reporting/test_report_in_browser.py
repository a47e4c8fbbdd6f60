"""The report in a real browser: charts, toggles, sorting, chooser and ladder, and the tables."""

import re
from importlib.util import find_spec

import pytest
from support.browser import PHONE, WIDE, complaints, needs_chromium, opened, overflow, until, visit
from support.made_outcomes import error_tables
from support.made_tables import NAMES
from support.pages import made_ladder, results

from speechdt.reporting.pages.report.page import render
from speechdt.reporting.tables import cases_text

COUNT = 4
VARIANTS = NAMES[:COUNT]
SIZES = pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
pytestmark = [
    needs_chromium,
    pytest.mark.skipif(
        not find_spec("vl_convert"), reason="no vl-convert-python here: pip install it"
    ),
]


@pytest.fixture(scope="module")
def made():
    return results(COUNT, error_tables(VARIANTS), ladder=made_ladder(VARIANTS))


@pytest.fixture(scope="module")
def report(made, tmp_path_factory):
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render(made), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def opened_page(browser, report, size=WIDE):
    visit(browser, report, size)
    return int(until(browser, "return document.documentElement.dataset.charts", seconds=30))


@SIZES
def test_it_draws_its_charts_fits_its_window_and_is_quiet(browser, report, made, size):
    assert opened_page(browser, report, size) == len(made.charts) == 7
    assert complaints(browser) == []
    assert overflow(browser) == 0
    # A chart stands in place of its image, and what has none keeps it.
    low = "return [...document.querySelectorAll('figure')].filter(f => f.offsetHeight < 40).length"
    assert browser.execute_script(low) == 0
    figures = browser.execute_script("return document.querySelectorAll('figure').length")
    still = "return [...document.querySelectorAll('.still img')].filter(i => i.offsetHeight).length"
    assert browser.execute_script(still) == figures - len(made.charts)
    assert (
        browser.execute_script(
            "return document.querySelector('.chart svg').getBoundingClientRect().right"
        )
        <= size[0]
    )


@SIZES
def test_the_first_figure_is_on_the_first_screen(browser, report, size):
    opened_page(browser, report, size)
    top = "return document.querySelector('figure .chart').getBoundingClientRect().top"
    assert browser.execute_script(top) < size[1] / 2 + 30


def lines(browser, chart):
    """Return the colours of the lines that a chart draws."""
    script = (
        "return [...document.querySelectorAll(arguments[0])].map(p => p.getAttribute('stroke'))"
    )
    marks = f".chart[data-chart='{chart}'] svg .mark-line path"
    return [one.lower() for one in browser.execute_script(script, marks)]


def test_a_toggle_takes_a_detector_out_of_all_charts_at_once(browser, report):
    opened_page(browser, report)
    chips = "return [...document.querySelectorAll('.toggles i')].map(i => i.style.background)"
    assert len(set(browser.execute_script(chips))) == COUNT
    charts = ("psychometric_snr", "psychometric_duration", "roc", "det", "levels")
    before = {chart: lines(browser, chart) for chart in charts}
    assert all(len(set(of)) == COUNT for of in before.values())
    assert len({frozenset(of) for of in before.values()}) == 1  # one colour each, everywhere
    browser.execute_script("document.querySelector('.toggles input[value=D1]').click()")
    colour = "#d55e00"
    for chart in charts:
        until(
            browser,
            f"return ![...document.querySelectorAll(\".chart[data-chart='{chart}'] svg .mark-line "
            f"path\")].some(p => p.getAttribute('stroke').toLowerCase() === '{colour}')",
        )
        assert set(lines(browser, chart)) == set(before[chart]) - {colour}
    browser.execute_script("document.querySelector('.toggles button[name=none]').click()")
    until(browser, "return !document.querySelector(\".chart[data-chart='roc'] .mark-line path\")")
    browser.execute_script("document.querySelector('.toggles button[name=all]').click()")
    until(browser, "return document.querySelector(\".chart[data-chart='roc'] .mark-line path\")")
    assert complaints(browser) == []


def test_values_appear_on_hover_and_are_those_of_the_table(browser, report, made):
    from selenium.webdriver import ActionChains

    opened_page(browser, report)
    browser.execute_script("document.documentElement.style.scrollBehavior = 'auto'")
    marks = browser.find_elements(
        "css selector", ".chart[data-chart='psychometric_snr'] .mark-symbol path"
    )
    ActionChains(browser).move_to_element(marks[0]).perform()
    until(browser, "return document.querySelector('#vg-tooltip-element.visible')")
    text = browser.find_element("id", "vg-tooltip-element").text
    name = re.search(r"Detector:? (\S+)", text)[1]
    level = float(re.search(r"SNR \(dB\):? (\S+)", text)[1].replace("−", "-"))
    hits = float(re.search(r"Hits:? ([\d.]+)%", text)[1])
    curves = made.tables["curves"]
    points = curves[(curves["dimension"] == "snr") & ~curves["fitted"].astype(bool)]
    points = points[(points["variant"] == name) & (points["slice"].astype(str) == "all")]
    rates = points.loc[points["level"] == level, "rate"]
    assert any(abs(100 * rate - hits) <= 0.051 for rate in rates)


def cells(browser, table, column):
    script = (
        "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)]"
        ".map(r => r.cells[arguments[1]].textContent.trim())"
    )
    return browser.execute_script(script, table, column)


def test_columns_sort_by_value_and_what_is_no_number_stays_below(browser, report):
    opened_page(browser, report)
    heading = "document.querySelectorAll('#comparison thead th')"
    auc = browser.execute_script(f"return [...{heading}].findIndex(h => h.textContent === 'AUC')")
    for order, sign in (("descending", -1), ("ascending", 1)):
        browser.execute_script(f"{heading}[{auc}].querySelector('button').click()")
        assert browser.execute_script(f"return {heading}[{auc}].ariaSort") == order
        values = [float(text.split()[0]) for text in cells(browser, "comparison", auc)]
        assert values == sorted(values, key=lambda value: sign * value)
    dt75 = browser.execute_script(
        f"return [...{heading}].findIndex(h => h.textContent.startsWith('DT75, own'))"
    )
    browser.execute_script(f"{heading}[{dt75}].querySelector('button').click()")
    assert cells(browser, "comparison", dt75)[-1].startswith("undefined")
    browser.execute_script(f"{heading}[0].querySelector('button').click()")
    assert [name.split()[0] for name in cells(browser, "comparison", 0)] == sorted(VARIANTS)


@SIZES
def test_the_chooser_ranks_as_the_table_does(browser, report, made, size):
    opened_page(browser, report, size)
    cases = made.tables["cases"]
    choices = [("all", "all", "all", "1"), ("-5", "all", "white", "3"), ("10", "200", "all", "10")]
    for case in [*choices, ("0", "500", "recording", "0.3333")]:
        for name, value in zip(cases_text.LEVELS, case, strict=True):
            browser.execute_script(
                "const field = document.querySelector('#chooser form').elements[arguments[0]];"
                "field.value = arguments[1];"
                "field.dispatchEvent(new Event('change', {bubbles: true}));",
                *(name, value),
            )
        snr, duration, background, cost = case
        own = cases[
            (cases["snr_db"].astype(str) == snr)
            & (cases["duration_ms"].astype(str) == duration)
            & (cases["background"] == background)
            & (abs(cases["false_alarm_cost"] - float(cost)) < 1e-3)
        ]
        expected = own.assign(rounded=own["cost"].round(9)).sort_values("rounded", kind="stable")
        names = [text.split()[0] for text in cells(browser, "ranking", 0)]
        assert names == expected["variant"].tolist()
        for place, row in enumerate(expected.to_dict("records")):
            cost_shown, *_ = numbers(cells(browser, "ranking", 1)[place])
            assert cost_shown == pytest.approx(row["cost"], abs=6e-4)
            shown = numbers(cells(browser, "ranking", 2)[place])
            if place:
                ends = [row[f"difference{end}"] for end in ("", "_low", "_high")]
                assert shown == pytest.approx(ends, abs=6e-4)
                note = cells(browser, "ranking", 3)[place]
                assert note == ("costs more" if row["difference_low"] > 0 else "not told apart")
        lead = browser.find_element("id", "chooser-says").text
        assert lead.startswith(f"{names[0]} costs least on these {expected['n'].iloc[0]:,} clips")
        one_answer = min(1, float(cost)) / (1 + float(cost))
        none = round(expected["cost"].min(), 4) > one_answer - 5e-4
        assert ("No detector does better than" in lead) == none
    assert complaints(browser) == []


def numbers(text):
    return [float(one) for one in re.findall(r"-?\d+\.\d+", text.replace("−", "-"))]


def test_the_ladder_plays_and_shows_one_item_with_every_answer(browser, report, made):
    opened_page(browser, report)
    visible = "return [...document.querySelectorAll('.ladder')].map(l => !l.hidden)"
    assert browser.execute_script(visible) == [True, False]
    snrs = [f"{snr:g} dB".replace("-", "−") for snr in (10, 0, -10)]
    assert cells(browser, "ladder-1-table", 0) == snrs
    answers = [text.split()[0] for text in cells(browser, "ladder-1-table", 3)]  # of the second one
    assert answers == ["no"] * 3
    browser.execute_script("document.querySelector('#ladder-1 .clip').click()")
    until(browser, "return document.querySelector('#ladder-1 .clip').dataset.state === 'played'")
    browser.execute_script(
        "const field = document.querySelector('#ladder form').elements.ladder;"
        "field.value = 'ladder-2'; field.dispatchEvent(new Event('change', {bubbles: true}));"
    )
    assert browser.execute_script(visible) == [False, True]
    assert complaints(browser) == []


def test_on_a_phone_a_wide_table_says_that_it_goes_on(browser, report):
    opened_page(browser, report, PHONE)
    script = (
        "const place = document.querySelector('#comparison').parentElement;"
        "return [place.classList.contains('wide'), place.scrollWidth > place.clientWidth,"
        " getComputedStyle(place, '::before').content]"
    )
    wide, overflows, hint = browser.execute_script(script)
    assert wide
    assert overflows
    assert "scroll" in hint


@SIZES
def test_without_scripts_every_table_and_figure_is_there(browser, report, made, size):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        visit(browser, report, size)
        images = browser.find_elements("css selector", "figure img")
        assert len(images) == report.read_text().count("<figure ")
        assert all(image.is_displayed() for image in images)
        folded = browser.find_elements("css selector", "details table")
        tables = browser.find_elements("css selector", "table")
        assert all(table.is_displayed() for table in tables if table not in folded)
        shown = browser.find_element("id", "ranking").text
        assert all(name in shown for name in VARIANTS)
        assert not browser.find_element("css selector", "form.toggles").is_displayed()
        assert complaints(browser) == []
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
