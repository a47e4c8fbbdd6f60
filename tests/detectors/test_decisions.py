"""Decisions from files that are found by name, in whatever order they come."""

import json
import random
import re

import pandas as pd
import pytest

from speechdt.detectors.answer_files import AnswerFileError, by_run_and_cell
from speechdt.detectors.call import ScoreError
from speechdt.detectors.decisions import decided_by, thresholds_by
from speechdt.detectors.ensemble import combine_cells
from speechdt.statistics.calibration import Calibration
from speechdt.trials.cells import read_cell

RUNS = {"B3.seed1": 0.2, "B3.seed2": 0.4, "D2": 0.6}
CELLS = ("snr0_dur200", "snr10_dur200")


@pytest.fixture
def answers(cells, tmp_path):
    """Cells, scores and calibrations; every score says which run, and a little which cell."""
    trials, scores, calibrations = [], [], []
    for cell in CELLS:
        (tmp_path / "trials" / "test").mkdir(parents=True, exist_ok=True)
        trials.append(tmp_path / "trials" / "test" / f"{cell}.parquet")
        trials[-1].write_bytes(cells["test", cell].read_bytes())
        for run, p in RUNS.items():
            file = tmp_path / "scores" / run / "test" / f"{cell}.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            ids = read_cell(trials[-1], ["trial_id"])["trial_id"]
            table = pd.DataFrame({"trial_id": ids, "p_speech": p + CELLS.index(cell) / 100})
            table.sample(frac=1, random_state=1).to_parquet(file)
            scores.append(file)
    for run, p in RUNS.items():
        file = tmp_path / "calibration" / f"{run}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(Calibration(p, p, 1.0, 1.0, 0.0).to_dict()))
        calibrations.append(file)
    return trials, scores, calibrations


@pytest.mark.parametrize("seed", range(3))
def test_files_are_found_by_name_in_any_order(answers, seed):
    for files in answers:
        random.Random(seed).shuffle(files)
    decided = decided_by({"B3": ["B3.seed1", "B3.seed2"], "D2": ["D2"]}, *answers)
    for variant, runs in {"B3": ["B3.seed1", "B3.seed2"], "D2": ["D2"]}.items():
        for place, run in enumerate(runs):
            own = decided[variant][decided[variant]["run"] == place]
            expected = RUNS[run] + (own["snr_db"] == 10) / 100
            assert own["p_speech"].tolist() == pytest.approx(expected.tolist())
            assert own["decided"].all()


def test_a_run_may_have_the_scores_of_another(answers):
    decided = decided_by({"D2": ["D2"]}, *answers, scores_of={"D2": "B3.seed1"})
    assert decided["D2"]["p_speech"].max() < 0.3
    assert not decided["D2"]["decided"].any()


def test_missing_files_are_one_line(answers):
    trials, scores, calibrations = answers
    with pytest.raises(AnswerFileError, match=r"^no calibration of run X$"):
        decided_by({"X": ["X"]}, *answers)
    where = re.escape(str(trials[0]))
    with pytest.raises(AnswerFileError, match=f"no scores of run D2 on {where}"):
        decided_by({"D2": ["D2"]}, trials, scores[:2], calibrations)
    with pytest.raises(AnswerFileError, match=r"belong to the same cell"):
        by_run_and_cell([*scores, scores[0]])


def test_scores_under_the_name_of_another_cell_are_refused(answers):
    trials, scores, calibrations = answers
    first, other = (path for path in scores if path.parents[1].name == "D2")
    first.write_bytes(other.read_bytes())
    with pytest.raises(ScoreError, match=f"^{first} does not belong to {trials[0]}: no score"):
        decided_by({"D2": ["D2"]}, trials, scores, calibrations)


def test_an_ensemble_joins_its_members_by_trial(answers, tmp_path):
    _, scores, calibrations = answers
    output = tmp_path / "scores" / "E" / "test" / "snr0_dur200.parquet"
    output.parent.mkdir(parents=True)
    random.Random(2).shuffle(scores)
    weights = {"D2": 0.5, "B3.seed1": 0.5}
    combine_cells("vote", weights, scores, calibrations, [output])
    assert pd.read_parquet(output)["p_speech"].eq(1).all()
    wrong = next(path for path in scores if path.parts[-3:-1] == ("D2", "test"))
    table = pd.read_parquet(wrong)
    table.assign(trial_id=table["trial_id"] + "x").to_parquet(wrong)
    with pytest.raises(ScoreError, match="is of other trials"):
        combine_cells("mean", weights, scores, calibrations, [output.with_name(wrong.name)])


def test_thresholds_of_replicates_are_found_by_run(tmp_path):
    files = []
    for place, run in enumerate(("B3.seed2", "B3.seed1")):
        files.append(tmp_path / f"{run}.thresholds.parquet")
        kept = 3 * (place + 2) + 1
        table = pd.DataFrame({"threshold": [0.1 * place] * kept, "threshold_far10": [0.5] * kept})
        table.to_parquet(files[-1])
    thresholds = thresholds_by({"B3": ["B3.seed1", "B3.seed2"]}, files, replicates=3)["B3"]
    assert thresholds.balanced[:, 0].tolist() == [0.1, 0.0]
    assert thresholds.far10.shape == (2, 4)
    more = thresholds_by({"B3": ["B3.seed1", "B3.seed2"]}, files, replicates=3, further=True)["B3"]
    assert more.far10.shape == (2, 7)
    with pytest.raises(AnswerFileError, match=r"^no thresholds of run D2$"):
        thresholds_by({"D2": ["D2"]}, files, replicates=3)
    with pytest.raises(AnswerFileError, match=r"B3.seed1.*has 9 replicates, no blocks of 100$"):
        thresholds_by({"B3": ["B3.seed1"]}, files, replicates=100)
