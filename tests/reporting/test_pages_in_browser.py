"""The pages in a real browser: nothing in the console, players play, filters filter, no network."""

import shutil

import pytest
from support.browser import PHONE, WIDE, complaints, needs_chromium, opened, overflow, until, visit
from support.errors_pages import page, shown
from support.made_answers import made_decided, made_sources
from support.pages import results

from speechdt.reporting.pages.report.page import render
from speechdt.statistics import error_rates

pytestmark = needs_chromium
SIZES = pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
VISIBLE = (
    "return [...document.querySelectorAll('.card:not([hidden])')]"
    ".map(c => ({...c.dataset, wrong: JSON.parse(c.dataset.wrong)}))"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """A gallery that holds its clips, and one whose clips lie beside it."""
    folder = tmp_path_factory.mktemp("pages")
    answers = error_rates.answers(made_decided(), made_sources())
    html = page(answers, folder=folder / "errors")
    (folder / "beside.html").write_text(html, encoding="utf-8")
    (folder / "embedded.html").write_text(page(answers), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def whole_report(tmp_path_factory):
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render(results(9)), encoding="utf-8")
    return file


def state(button):
    return f"return document.querySelector('{button}').dataset.state"


@SIZES
@pytest.mark.parametrize("name", ["embedded", "beside"])
def test_clips_play_from_the_file_system(browser, errors, name, size):
    visit(browser, errors / f"{name}.html", size)
    until(browser, "return document.readyState === 'complete'")
    browser.execute_script("document.querySelector('.card .clip').click()")
    until(browser, state(".card .clip") + " === 'played'")
    assert complaints(browser) == []
    assert overflow(browser) == 0


def test_a_target_without_noise_plays_too(browser, errors):
    visit(browser, errors / "embedded.html")
    browser.execute_script("document.querySelector('.card details .clip').click()")
    until(browser, state(".card details .clip") + " === 'played'")
    assert complaints(browser) == []


def test_a_clip_that_is_not_there_says_so(browser, errors, tmp_path):
    shutil.copy(errors / "beside.html", tmp_path / "moved.html")
    visit(browser, tmp_path / "moved.html")
    browser.execute_script("document.querySelector('.card .clip').click()")
    until(browser, state(".card .clip") + " === 'failed'")


def test_another_clip_stops_the_first(browser, errors):
    visit(browser, errors / "beside.html")
    browser.execute_script(
        "const [one, two] = document.querySelectorAll('.card > .clip'); one.click(); two.click();"
    )
    assert browser.execute_script(state(".card:nth-child(1) > .clip")) == "stopped"
    until(browser, state(".card:nth-child(2) > .clip") + " === 'played'")
    assert complaints(browser) == []


def choose(browser, **values):
    for name, value in values.items():
        browser.execute_script(
            "const field = document.querySelector('form.filters').elements[arguments[0]];"
            "field.value = arguments[1];"
            "field.dispatchEvent(new Event('input', {bubbles: true}));",
            name,
            value,
        )


def every_match(browser):
    """Press "show more" to the end, and return the visible cards."""
    while browser.execute_script("return !document.querySelector('.more').hidden"):
        browser.execute_script("document.querySelector('.more').click()")
    return browser.execute_script(VISIBLE)


def test_filters_filter(browser, errors):
    visit(browser, errors / "embedded.html")
    everything = shown((errors / "embedded.html").read_text())
    assert len(browser.execute_script(VISIBLE)) == 12
    assert len(every_match(browser)) == len(everything)
    wanted = {"variant": "D1", "error": "missed", "snr": "-5", "duration": "200"}
    choose(browser, **wanted)
    expected = [
        card
        for card in everything
        if "D1" in card["wrong"]
        and (card["error"], card["snr"], card["duration"]) == ("missed", "-5", "200")
    ]
    assert 0 < len(expected) < len(everything)
    assert every_match(browser) == expected
    hash_ = browser.execute_script("return location.hash")
    browser.execute_script("document.querySelector('form.filters').reset()")
    until(browser, "return location.hash === '#gallery'")
    assert len(every_match(browser)) == len(everything)
    browser.execute_script("location.hash = arguments[0]", hash_)  # the address remembers
    until(browser, "return document.querySelector('form.filters').elements.variant.value === 'D1'")
    assert every_match(browser) == expected
    assert complaints(browser) == []


def test_errors_of_all_of_one_and_of_a_recording(browser, errors):
    visit(browser, errors / "embedded.html")
    everything = shown((errors / "embedded.html").read_text())
    for choice, count in (("(all)", 3), ("(one)", 1)):
        choose(browser, variant=choice)
        expected = [card for card in everything if len(card["wrong"]) == count]
        assert every_match(browser) == expected
    choose(browser, variant="", text=everything[0]["source"].upper())
    assert {card["source"] for card in every_match(browser)} == {everything[0]["source"]}
    choose(browser, text="no such recording")
    assert every_match(browser) == []


@SIZES
def test_the_report_is_quiet_and_fits_its_window(browser, whole_report, size):
    visit(browser, whole_report, size)
    assert complaints(browser) == []
    assert overflow(browser) == 0
    broken = "return [...document.images].filter(i => !i.complete || !i.naturalWidth).length"
    assert browser.execute_script(broken) == 0
    hidden = (
        "return [...document.querySelectorAll('nav a[href^=\"#\"]')]"
        ".filter(a => !document.querySelector(a.getAttribute('href'))).length"
    )
    assert browser.execute_script(hidden) == 0


@SIZES
def test_the_gallery_can_be_read_by_ear_and_by_thumb(browser, errors, size):
    visit(browser, errors / "embedded.html", size)
    small = (
        "return [...document.querySelectorAll('.card > .clip, form select, form button')]"
        ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 36).length"
    )
    assert browser.execute_script(small) == 0
    nameless = (
        "return [...document.querySelectorAll('button')]"
        ".filter(b => !(b.getAttribute('aria-label') || b.textContent.trim())).length"
    )
    assert browser.execute_script(nameless) == 0
