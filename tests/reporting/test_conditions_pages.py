"""Conditions on the pages: shifts in words, the figure's points, cards to listen to."""

import numpy as np
import pandas as pd
import pytest
from support.made_conditions import conditions
from support.pages import Page, results

from speechdt.psychometrics.published_bank import beside_published
from speechdt.reporting.figures.draw import draw
from speechdt.reporting.pages.condition_cards import condition_cards
from speechdt.reporting.pages.paper_tables import PAPER_TABLES
from speechdt.reporting.pages.report.page import render
from speechdt.reporting.tables import conditions_text as text
from speechdt.reporting.tables.foils_text import foils_table
from speechdt.reporting.tables.reading import read_table
from speechdt.trials import conditions as played

VARIANTS = ("D2", "D1", "A1")
CONFIG = {
    "grid": {"snr_db": [-5, 0, 10]},
    "seed": 1,
    "conditions": {"items": 40, "duration_ms": 500, "background": "white"},
    "rooms": {"path": None},
}
ROOMS = pd.DataFrame(
    {"room": ["0.3"], "response": ["synthetic 0.3 s, 0"], "rt60_s": [0.31], "direct_db": [-5.0]}
    | {"seconds": [0.4]}
)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The table as it is read back from its file."""
    path = tmp_path_factory.mktemp("tables") / "conditions.csv"
    conditions(VARIANTS).to_csv(path, index=False)
    return read_table(path)


def test_shifts_stand_in_words(table):
    shifts = text.shifts_table(table).set_index("Condition")
    assert shifts.loc["pink", "D2"].startswith("−")
    assert shifts.loc["2.5", "D2"] in ("higher", "undefined")
    assert set(shifts["D1"]) == {"undefined"}  # who hears nothing has no threshold
    assert "G.711 (µ-law)" in shifts.index
    every = text.conditions_table(table)
    assert not every.isin(["nan"]).any().any()
    assert (every.loc[every["Condition"] == "neutral", "Verdict"] == "–").all()


def test_the_report_and_the_paper_have_them(table):
    tables = {"conditions": table, "rooms": ROOMS}
    page = Page(render(results(3, tables, config=CONFIG)))
    assert "conditions-shifts" in page.rows
    assert "rooms" in page.rows
    assert len(page.rows["conditions-shifts"]) == 7
    made = PAPER_TABLES["conditions"].made({"conditions": table})
    assert list(made.columns) == ["Axis", "Condition", *VARIANTS]
    assert PAPER_TABLES["conditions"].made({}).empty


def test_a_run_without_them_has_no_section():
    assert "Rooms, channels" not in render(results(1))


def test_an_axis_of_one_detector_is_drawn(table):
    figure = draw("conditions", {"conditions": table}, VARIANTS)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == list(VARIANTS)


def test_the_published_bank_is_on_the_page():
    bank = pd.DataFrame(
        {"variant": "S5", "threshold": "0.5", "over": ["all clips", "duration"]}
        | {"conditions": 22, "accuracy": 0.88, "accuracy_low": 0.8, "accuracy_high": 0.9}
    )
    along = pd.DataFrame(
        {
            "variant": "S5",
            "threshold": "0.5",
            "axis": ["noise", "duration"],
            "unit": ["snr_db", "duration_ms"],
        }
        | {"rate": "balanced accuracy", "proportion": 0.75, "interpolated": [-6.0, 80.0]}
        | {"interpolated_censored": "", "fitted": [-6.5, np.nan], "fitted_censored": ["", ">"]}
        | {"fitted_low": [-8.0, 70.0], "fitted_high": [-5.0, np.inf], "rise": 0.2}
        | {"why": ["", "one of the two lies outside"]}
    )
    published = {"S5": {"system": "Silero v5", "balanced_accuracy": 88.9, "snr75_db": -7}}
    beside = beside_published(bank, along, published | {"X": {"system": "other"}})
    assert beside[["figure", "published", "here"]].values.tolist() == [
        ["balanced accuracy (%)", 88.9, 88.0],
        ["SNR75 (dB)", -7, -6.0],
    ]
    tables = {"conditions": conditions(("D2",)), "published_bank": bank}
    tables |= {"published_thresholds": along, "published_beside": beside}
    page = Page(render(results(1, tables, config=CONFIG)))
    assert {"bank", "bank-thresholds", "beside"} <= set(page.rows)
    assert beside_published(bank, along, {}).empty


def test_foils_have_a_column_for_each_kind():
    rows = pd.DataFrame(
        {"variant": "D2", "threshold": "best", "condition": "clean", "foil": ["all", "laughing"]}
        | {"n": [40, 20], "groups": [20, 10], "rate": [0.5, 0.75], "low": 0.4, "high": 0.9}
    )
    cells = foils_table(rows).iloc[0]
    assert cells["laughing (10 groups)"] == "75.0 [40.0, 90.0]"


def test_one_recording_of_each_class_is_played_in_every_condition(sources, tmp_path):
    neutral = played.Condition("neutral", "", (-5.0, 0.0, 5.0), 500, "white")
    listed = played.around(neutral, {"channel": ["g711"], "level": [-40]})
    items = played.condition_items(
        sources, listed, 4, seed=7, least_active=0.7, categories=["music", "noise"]
    )
    rendered = [condition for condition in listed if condition.rendered]
    files = {condition.key: tmp_path / f"{condition.key}.parquet" for condition in rendered}
    played.write(items, rendered, files, {}, seed=7, level="peak")
    cards = condition_cards(listed, files.values(), seed=7)
    assert [card.facts["condition"] for card in cards] == 2 * ["neutral", "G.711 (µ-law)", "−40"]
    assert {card.facts["SNR"] for card in cards} == {"0 dB"}
    assert [card.label for card in cards] == 3 * ["SPEECH"] + 3 * ["NONSPEECH"]
    assert len({card.source_id for card in cards}) == 2
    assert len({card.flac for card in cards}) == 6  # each sounds otherwise
