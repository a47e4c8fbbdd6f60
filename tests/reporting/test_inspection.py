"""The inspection page: what is drawn, and, in a real browser, playing, marking and saving."""

import base64
import csv
import io
import json
import time

import numpy as np
import pytest
from PIL import Image
from support.browser import PHONE, WIDE, complaints, needs_chromium, opened, overflow, until, visit

from speechdt.corpus.selection import read_marks
from speechdt.reporting.pages import inspection
from speechdt.trials.cells import read_cell

EACH = 5


@pytest.fixture(scope="module")
def cards(sources, cells, grid):
    files = [cells[split, cell.name] for split in ("dev", "test") for cell in grid.noisy]
    music = set(sources.loc[sources["category"] == "music", "source_id"])
    drawn = inspection.source_cards(sources, 7, EACH, music)
    drawn += inspection.trial_cards(files, 7, 4 * EACH, music)
    return [*drawn[: 2 * EACH], *with_both_backgrounds(drawn[2 * EACH :])]


def with_both_backgrounds(trials):
    """Return a few trials of each class, some of them before a recorded background."""
    kept = []
    for label in ("SPEECH", "NONSPEECH"):
        own = [card for card in trials if card.label == label]
        kept += sorted(own, key=lambda card: card.background_id == "")[:EACH]
    return kept


@pytest.fixture(scope="module")
def page(cards, tmp_path_factory):
    file = tmp_path_factory.mktemp("inspection") / "inspect.html"
    file.write_text(inspection.render(cards, "run"), encoding="utf-8")
    return file


def test_as_many_of_each_class_as_asked_for_and_the_same_for_a_seed(sources, cells, grid):
    files = [cells["test", cell.name] for cell in grid.noisy]
    first, again = (inspection.trial_cards(files, 7, 10) for _ in range(2))
    assert [card.name for card in first] == [card.name for card in again]
    assert [card.label for card in first] == ["SPEECH"] * 10 + ["NONSPEECH"] * 10
    other = inspection.trial_cards(files, 8, 10)
    assert {card.name for card in other} != {card.name for card in first}


def test_the_page_holds_the_trial_s_own_audio(cards, cells):
    card = next(card for card in cards if card.kind == "trial")
    item, _, cell = card.name.rpartition("-snr")
    table = read_cell(cells[item.split("-")[0], f"snr{cell}"]).set_index("trial_id")
    assert base64.b64decode(card.flac.partition(",")[2]) == table.loc[card.name, "audio"]
    assert card.source_id == table.loc[card.name, "source_id"]


def test_cards_in_which_a_flagged_recording_is_heard_say_so(sources, cells, grid):
    files = [cells["test", cell.name] for cell in grid.noisy]
    everything = inspection.trial_cards(files, 7, 10)
    behind = next(card.background_id for card in everything if card.background_id)
    target = everything[-1].source_id
    flagged = inspection.trial_cards(files, 7, 10, {behind, target})
    overlaps = [{card.source_id, card.background_id} & {behind, target} for card in flagged]
    assert [card.flagged for card in flagged] == [bool(overlap) for overlap in overlaps]
    assert sum(card.flagged for card in flagged) < len(flagged)
    assert not any(card.flagged for card in everything)


def test_recordings_whose_label_detectors_contradict_come_first_and_in_their_order(sources):
    doubted = list(sources["source_id"].sample(3, random_state=7))
    others = sources[~sources["source_id"].isin(doubted)]
    cards = inspection.source_cards(others, 7, 2)
    written = inspection.render([*cards, *inspection.doubted_cards(sources, doubted)], "run")
    shown = written[: written.index("<script")]
    assert "contradicted by all detectors" in shown
    places = [shown.index(f'"{name}"') for name in doubted]
    labels = sources.set_index("source_id").loc[doubted, "label"]
    for label in set(labels):
        own = [place for place, its in zip(places, labels, strict=True) if its == label]
        assert own == sorted(own)
    assert max(places) < min(shown.index(f'"{card.name}"') for card in cards)


def test_a_waveform_is_as_high_as_the_samples():
    silent, loud = np.zeros(4000, np.float32), np.ones(4000, np.float32)
    samples = np.concatenate([silent, loud * np.tile([1, -1], 2000).astype(np.float32)])
    png = inspection.waveform_uri(samples).partition(",")[2]
    inked = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))
    half = inspection.WIDTH // 2
    assert inked[:, half + 2 :].all()
    assert inked[:, : half - 2].sum(axis=0).max() <= 2


def test_nothing_on_the_page_comes_from_elsewhere(page):
    html = page.read_text(encoding="utf-8")
    assert "http:" not in html.replace("http://www.w3.org", "")
    assert "https:" not in html
    assert 'src="data:' in html


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    downloads = tmp_path_factory.mktemp("downloads")
    with opened(tmp_path_factory.mktemp("profile")) as driver:
        behaviour = {"behavior": "allow", "downloadPath": str(downloads)}
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
        driver.downloads = downloads
        yield driver


def press(browser, *keys):
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:
        ActionChains(browser).send_keys(key).perform()


def fresh(browser, page, size=WIDE):
    """Open the page without the marks of earlier tests."""
    visit(browser, page, size)
    browser.execute_script("localStorage.clear()")
    visit(browser, page, size)
    until(browser, "return document.readyState === 'complete'")


STATE = "return document.querySelector('.card.here .clip').dataset.state"


@needs_chromium
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_card_plays_and_nothing_overflows(browser, page, size):
    from selenium.webdriver.common.keys import Keys

    fresh(browser, page, size)
    press(browser, Keys.ARROW_RIGHT, " ")
    until(browser, STATE + " === 'played'")
    assert overflow(browser) == 0
    assert complaints(browser) == []


@needs_chromium
def test_marks_are_set_by_key_kept_and_saved_as_a_file_that_excludes(
    browser, page, cards, sources, tmp_path
):
    from selenium.webdriver.common.keys import Keys

    fresh(browser, page)
    press(browser, Keys.ARROW_RIGHT, "x", Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, "x")
    first_trial = 2 * EACH
    press(browser, *[Keys.ARROW_RIGHT] * (first_trial - 2), "b")
    assert cards[first_trial].background_id
    expected = [cards[0].source_id, cards[2].source_id, cards[first_trial].background_id]
    assert browser.find_element("id", "count").text == "3 marked"

    visit(browser, page)  # the marks are still there
    assert browser.find_element("id", "count").text == "3 marked"
    browser.find_element("id", "save").click()
    file = browser.downloads / "marks.csv"
    end = time.time() + 10
    while not file.exists():
        assert time.time() < end
        time.sleep(0.05)
    marks = list(csv.DictReader(file.open()))
    assert [mark["source_id"] for mark in marks] == expected
    assert [mark["what"] for mark in marks] == ["recording", "recording", "background"]
    assert read_marks([file], sources["source_id"]) == dict.fromkeys(expected, str(file))

    press(browser, Keys.ARROW_RIGHT, "x")  # a second press takes a mark away
    assert browser.find_element("id", "count").text == "2 marked"


@needs_chromium
def test_one_section_can_be_shown_alone(browser, page):
    fresh(browser, page)
    script = "const s = document.getElementById('show'); s.value = 'trial-NONSPEECH';"
    browser.execute_script(script + "s.dispatchEvent(new Event('change'))")
    press(browser, " ")
    names = browser.execute_script(
        "return JSON.stringify([...document.querySelectorAll('section:not([hidden]) .card')]"
        ".map(c => [c.dataset.kind, c.dataset.label]))"
    )
    assert json.loads(names) == [["trial", "NONSPEECH"]] * EACH
    assert browser.execute_script(
        "return document.querySelector('.card.here').dataset.label === 'NONSPEECH'"
    )
