"""The gallery: a planted confusable recording comes first, and the page holds all it shows."""

import numpy as np
import pandas as pd
import pytest
from support.errors_pages import SHORT, addresses, page, shown
from support.made_answers import VARIANTS, made_decided, made_sources
from support.pages import Page

from speechdt.audio.io import from_flac_bytes
from speechdt.detectors.decisions import decided_trials
from speechdt.detectors.scoring import score_cells
from speechdt.reporting.pages import errors_cards
from speechdt.reporting.pages.errors_page import failures
from speechdt.statistics import error_rates
from speechdt.statistics.calibration import calibrate
from speechdt.store import Store
from speechdt.trials import items, rendering
from speechdt.trials.cells import read_cell


@pytest.fixture(scope="module")
def answers():
    return error_rates.answers(made_decided(), made_sources())


def test_the_page_is_well_formed_and_holds_what_it_plays(answers):
    html = page(answers)
    read = Page(html)
    assert read.open == []
    assert len(read.ids) == len(set(read.ids))
    loaded = [value for _, name, value in read.attributes if name in ("src", "href")]
    assert all(value.startswith(("data:", "#")) for value in loaded)
    played = {value for _, name, value in read.attributes if name == "data-audio"}
    assert played == set(addresses(html))
    for key, uri in addresses(html).items():
        kind = "mpeg" if key.endswith(errors_cards.CLEAN) else "flac"
        assert uri.startswith(f"data:audio/{kind};base64,")
    assert len(shown(html)) == 40
    assert "A1 — nano: a toy." in html


def test_a_large_page_shows_and_plays_what_lies_beside_it(answers, tmp_path):
    html = page(answers, folder=tmp_path / "errors")
    for key, address in addresses(html).items():
        clean = key.endswith(errors_cards.CLEAN)
        assert address == f"errors/{key}.{'mp3' if clean else 'flac'}"
        assert clean or (tmp_path / address).read_bytes() == SHORT
    drawn = {value for tag, name, value in Page(html).attributes if (tag, name) == ("img", "src")}
    assert drawn == {f"errors/{key}.png" for key in addresses(html)}
    assert all((tmp_path / image).exists() for image in drawn)
    assert "data:audio" not in html


def test_two_runs_write_the_same_bytes(answers):
    assert page(answers) == page(answers)


def test_every_recording_shows_its_worst_before_any_shows_a_second(answers):
    sources = error_rates.error_sources(answers)
    failing = sources[sources["rate"] > 0]
    first = errors_cards.choose(answers, sources, len(failing))
    assert answers.trials.loc[first, "source_id"].tolist() == failing["source_id"].tolist()
    everything = errors_cards.choose(answers, sources, 10_000)
    assert len(everything) == answers.wrong.any(axis=1).sum()
    ranks = answers.trials.loc[everything, "source_id"].map(sources.set_index("source_id")["rank"])
    assert ranks.is_monotonic_increasing
    for source, part in answers.trials.loc[everything].groupby("source_id", sort=False):
        counts = answers.wrong.loc[part.index].sum(axis=1)
        assert counts.is_monotonic_decreasing, source


def test_a_run_without_an_error_says_so(answers):
    right = answers._replace(wrong=answers.wrong & False)
    html = page(right)
    assert "no trial was decided wrongly" in html
    assert "<script" not in html
    assert Page(html).open == []


def test_tables_hold_every_variant_and_level(answers):
    rows = Page(page(answers)).rows
    assert rows["false-alarm-category"][0][3:] == list(VARIANTS)
    assert [row[0] for row in rows["false-alarm-category"][1:]] == ["animals", "music", "noise"]
    assert [row[0] for row in rows["missed-snr-db"][1:]] == ["−5 dB", "10 dB"]
    assert len(rows["consistency"]) == 1 + 2 * len(VARIANTS)
    assert rows["wrong-by"][0] == ["Error", "0 wrong", "1 wrong", "2 wrong", "3 wrong"]
    assert "missed-language" not in rows  # one language alone is no breakdown


def plant(sources, grid, noisy, silero):
    """Return test items in which one NONSPEECH recording is in truth a person, clearly speaking.

    That is the person whom Silero hears best where it hears them worst.
    """
    chosen = items.crossed(sources, "test", 16, grid, seed=7, least_active=0.7)
    least = pd.Series(1.0, index=chosen["item_id"])
    for cell in noisy:
        clips = read_cell(cell).query("label == 'SPEECH'").set_index("item_id")["audio"]
        scores = pd.Series(silero.score(list(map(from_flac_bytes, clips))), index=clips.index)
        least = np.minimum(least.reindex(clips.index), scores)
    person = chosen.set_index("item_id").loc[least.idxmax()]
    place = chosen.index[chosen["category"] == "animals"][0]
    chosen.loc[place, ["path", "start"]] = person[["path", "start"]].to_numpy()
    chosen.loc[place, ["source_id", "group_id"]] = ["planted", "planted"]
    return chosen


def test_a_planted_confusable_recording_is_the_first_item(root, sources, grid, cells, tmp_path):
    from speechdt import find_detectors

    detectors = find_detectors()
    # At the clearest level, where detectors make few errors of their own.
    noisy = [cell for cell in grid.cells if cell.kind == "snr" and cell.snr_db == max(grid.snr_db)]
    planted = {cell.name: tmp_path / f"{cell.name}.parquet" for cell in noisy}
    tested = [cells["test", cell.name] for cell in noisy]
    chosen = plant(sources, grid, tested, detectors["silero"]())
    rendering.write(chosen, noisy, planted, seed=7, level="peak")
    files = {
        "dev": [cells["dev", cell.name] for cell in noisy],
        "test": list(planted.values()),
    }
    decided = {}
    for variant, backend in (("D2", "silero"), ("D3", "fireredvad")):
        store = Store(tmp_path / f"{variant}.sqlite")
        scores = {
            part: [tmp_path / f"{variant}-{part}-{path.name}" for path in paths]
            for part, paths in files.items()
        }
        for part, paths in files.items():
            score_cells(detectors[backend], zip(paths, scores[part], strict=True), store, backend)
        store.close()
        learned = calibrated(files["dev"], scores["dev"])
        decided[variant] = decided_trials(zip(files["test"], scores["test"], strict=True), learned)
    answers = error_rates.answers(decided, sources)
    first = shown(page(answers))[0]
    assert first["source"] == "planted"
    assert first["error"] == "false alarm"
    assert "D2" in first["wrong"]
    assert error_rates.error_sources(answers).iloc[0]["source_id"] == "planted"


def calibrated(files, scores):
    speech = pd.concat([read_cell(path, ["label"]) for path in files])["label"] == "SPEECH"
    p = pd.concat([pd.read_parquet(path) for path in scores])["p_speech"]
    return calibrate(p.to_numpy(), speech.to_numpy())


def test_scores_stand_on_a_bar_of_log_odds():
    assert errors_cards.share(0.5) == 50
    assert errors_cards.share(0) == 0
    assert errors_cards.share(1) == 100
    assert errors_cards.share(0.01) < errors_cards.share(0.02)


def test_scores_are_written_against_their_threshold():
    assert errors_cards.Answer("A1", 0.00412, 0.346, True).text == "0.00412 < 0.346"
    assert errors_cards.Answer("A1", 0.5, 1.2e-7, True).text == "0.500 ≥ 1.2e−07"
    assert errors_cards.Answer("A1", 0.0, 0.0, True).text == "0.00 ≥ 0.00"


@pytest.mark.parametrize(
    ("p", "threshold", "text"),
    [
        (0.9987, 0.9991, "0.9987 < 0.9991"),
        (0.42, 0.5, "0.420 < 0.500"),
        (1.0, 1.0, "1.00 ≥ 1.00"),
        (0.00012, 0.5, "0.00012 < 0.500"),
    ],
)
def test_a_probability_is_told_from_its_threshold(p, threshold, text):
    assert errors_cards.Answer("D1", p, threshold, False).text == text


def test_who_gives_one_answer_alone_is_counted_in_no_errors(answers):
    matrix = pd.DataFrame(
        {"variant": list(answers.wrong), "recall_speech": 0.8, "recall_nonspeech": 0.7}
        | {"dev_auc": 0.8, "dev_auc_low": 0.7, "dev_auc_high": 0.9}
    )
    every = failures(answers, matrix)
    assert every == failures(answers, None)
    assert every["judged"] == list(answers.wrong)
    matrix.loc[matrix["variant"] == "D1", ["recall_speech", "recall_nonspeech"]] = (1.0, 0.0)
    summary = failures(answers, matrix)
    assert summary["passed_over"] == {"D1": "gives one answer to every clip"}
    assert summary["failures"] == answers.wrong.drop(columns="D1").any(axis=1).sum()
    assert summary["failures"] < every["failures"]
    same = matrix.assign(dev_auc_high=0.4, dev_auc_low=0.3)
    assert (
        failures(answers, same)["failures"] == every["failures"]
    )  # all count where none has skill
