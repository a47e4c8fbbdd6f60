"""No clip is scored twice, whatever happens between."""

import numpy as np
import pandas as pd
import pytest

from speechdt.detectors import call, scoring
from speechdt.store import Store
from speechdt.trials.cells import read_cell

NAME = "variants.X1: backend 'mine'"


class Fake:
    """A detector that counts what it is asked, and can be made to fail."""

    gpus = 0

    def __init__(self, fail_after=None, answer=None):
        self.asked = 0
        self.fail_after = fail_after
        self.answer = answer

    def score(self, clips):
        if self.fail_after is not None and self.asked >= self.fail_after:
            raise KeyboardInterrupt
        self.asked += len(clips)
        if self.answer is not None:
            return self.answer
        return [float(np.abs(clip[:50]).mean()) for clip in clips]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "cache" / "scores.sqlite")


def files(cells, folder, names=("snr0_dur200", "snr10_dur200", "clean_dur1000")):
    folder.mkdir(exist_ok=True)
    return [cells["test", n] for n in names], [folder / f"{n}.parquet" for n in names]


def test_scores_stand_beside_their_trials(cells, tmp_path, store):
    inputs, outputs = files(cells, tmp_path / "scores")
    assert scoring.score_cells(Fake, zip(inputs, outputs, strict=True), store, NAME) == 96
    scored = scoring.read_scored(zip(inputs, outputs, strict=True))
    assert len(scored) == 96
    assert "audio" not in scored
    assert scored["p_speech"].notna().all()


def test_the_second_time_nothing_is_scored_and_no_detector_is_built(cells, tmp_path, store):
    inputs, outputs = files(cells, tmp_path / "one")
    _, again = files(cells, tmp_path / "two")
    scoring.score_cells(Fake, zip(inputs, outputs, strict=True), store, NAME)
    assert (
        scoring.score_cells(
            lambda: pytest.fail("built"), zip(inputs, again, strict=True), store, NAME
        )
        == 0
    )
    for one, two in zip(outputs, again, strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_a_new_cell_costs_its_own_clips(cells, tmp_path, store):
    inputs, outputs = files(cells, tmp_path / "one", ["snr0_dur200"])
    scoring.score_cells(Fake, zip(inputs, outputs, strict=True), store, NAME)
    inputs, outputs = files(cells, tmp_path / "two", ["snr0_dur200", "snr10_dur200"])
    assert scoring.score_cells(Fake, zip(inputs, outputs, strict=True), store, NAME) == 32


def test_an_interrupted_run_goes_on_and_ends_alike(cells, tmp_path, store, monkeypatch):
    monkeypatch.setattr(scoring, "CHUNK", 10)
    inputs, undisturbed = files(cells, tmp_path / "undisturbed")
    other = Store(tmp_path / "other.sqlite")
    scoring.score_cells(Fake, zip(inputs, undisturbed, strict=True), other, NAME)
    inputs, outputs = files(cells, tmp_path / "killed")
    with pytest.raises(KeyboardInterrupt):
        scoring.score_cells(
            lambda: Fake(fail_after=50), zip(inputs, outputs, strict=True), store, NAME
        )
    store.close()
    reopened = Store(tmp_path / "cache" / "scores.sqlite")
    assert scoring.score_cells(Fake, zip(inputs, outputs, strict=True), reopened, NAME) == 96 - 52
    for one, two in zip(undisturbed, outputs, strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_what_cannot_be_written_beside_is_said_and_the_answers_are_kept(cells, tmp_path, store):
    inputs, outputs = files(cells, tmp_path / "scores")
    outputs[0].mkdir()  # the first of three: the others are asked about meanwhile
    with pytest.raises(OSError, match="snr0_dur200"):
        scoring.score_cells(Fake, zip(inputs, outputs, strict=True), store, NAME)
    outputs[0].rmdir()
    asked = scoring.score_cells(Fake, zip(inputs, outputs, strict=True), store, NAME)
    assert asked < 96
    assert all(file.is_file() for file in outputs)


def test_answers_that_cannot_be_saved_stop_the_scoring(cells, tmp_path, store, monkeypatch):
    def full(_values):
        raise OSError("no space left on device")

    inputs, outputs = files(cells, tmp_path / "scores")
    monkeypatch.setattr(store, "put", full)
    with pytest.raises(OSError, match="no space left"):
        scoring.score_cells(Fake, zip(inputs, outputs, strict=True), store, NAME)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([0.5], f"{NAME} answered 1 scores to 32 clips"),
        ([0.5] * 31 + [1.5], NAME + r" gives clip test-.*-snr0_dur200 a P\(speech\) of 1.5"),
        ([[0.5]] * 32, NAME + r" answered an array of shape \(32, 1\) as scores to 32 clips"),
        (["likely"] * 32, f"{NAME} answered with text, not with P"),
        ([{}] * 32, f"{NAME} answered with something other than numbers"),
        ([0.5] * 31 + [float("nan")], r"a P\(speech\) of nan"),
    ],
)
def test_a_broken_contract_is_one_line(cells, tmp_path, store, answer, message):
    inputs, outputs = files(cells, tmp_path / "scores")
    with pytest.raises(call.ScoreError, match=message):
        scoring.score_cells(
            lambda: Fake(answer=answer), zip(inputs, outputs, strict=True), store, NAME
        )


def test_a_store_belongs_to_options_and_source(tmp_path):
    from speechdt import find_detectors

    (tmp_path / "mine.py").write_text(
        "from speechdt import hookimpl\n"
        "class Mine:\n    gpus = 0\n    def score(self, clips): return [0.5] * len(clips)\n"
        "@hookimpl\ndef detectors(): return {'mine': Mine}\n"
    )
    cls = find_detectors(tmp_path)["mine"]
    plain = call.store_name("mine", cls, {})
    assert plain == call.store_name("mine", cls, {})
    assert plain != call.store_name("mine", cls, {"frame": 1})
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("1")
    trained = call.store_name("mine", cls, {"model": str(tmp_path / "model")})
    (tmp_path / "model" / "weights").write_text("2")
    assert trained != call.store_name("mine", cls, {"model": str(tmp_path / "model")})
    (tmp_path / "mine.py").write_text((tmp_path / "mine.py").read_text() + "EDITED = True\n")
    assert plain == call.store_name("mine", cls, {})  # what was loaded is what runs
    call.running.cache_clear()  # as in another process
    assert plain != call.store_name("mine", cls, {})
    find_detectors()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda scores: pd.concat([scores, scores.head(1)]), "a trial twice"),
        (lambda scores: scores.iloc[1:], r"no score of trial test-\S+"),
        (lambda scores: scores.assign(trial_id=scores["trial_id"] + "x"), r"no score of trial"),
    ],
)
def test_scores_of_other_trials_are_an_error(cells, tmp_path, change, why):
    cell, file = cells["test", "snr0_dur200"], tmp_path / "s.parquet"
    change(pd.DataFrame({"trial_id": read_cell(cell)["trial_id"], "p_speech": 0.5})).to_parquet(
        file
    )
    with pytest.raises(call.ScoreError, match=f"^{file} does not belong to {cell}: {why}"):
        scoring.read_scored([(cell, file)])
