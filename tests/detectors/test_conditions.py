"""Scores in conditions: what is heard of each, and classifiers that do not listen."""

import numpy as np
import pandas as pd
import pytest

from speechdt.audio.io import flac_bytes
from speechdt.audio.presentation import rms_db
from speechdt.detectors.condition_giveaways import ConditionGiveaways
from speechdt.detectors.conditions import decided, score
from speechdt.detectors.hearing import Hearing, OneDetector
from speechdt.statistics.calibration import Calibration
from speechdt.store import Store
from speechdt.trials.cells import SCHEMA, write_cell
from speechdt.trials.conditions import Condition, around

NEUTRAL = Condition("neutral", "", (0.0, 10.0), 200, "white")
CONDITIONS = around(NEUTRAL, {"room": [1], "level": [-60, -20]})


class Level:
    """A detector that says how loud a clip is, from -100 to 0 dBFS."""

    gpus = 0
    clips_scored = 0

    def score(self, clips):
        Level.clips_scored += len(clips)
        return [1 + rms_db(clip) / 100 for clip in clips]


@pytest.fixture
def trials(tmp_path, rng):
    """Two files of trials; SPEECH is louder in the room."""
    files = {}
    for condition in CONDITIONS:
        if condition.rendered:
            rows = []
            for speech in (True, False):
                for item in range(3):
                    for snr in condition.snr_db:
                        loud = 0.2 if speech and condition.axis == "room" else 0.1
                        clip = (loud * rng.normal(size=3200)).clip(-1, 1).astype(np.float32)
                        row = dict.fromkeys(SCHEMA.names, "")
                        row |= {"item_id": f"{speech}{item}", "group_id": f"{speech}{item}"}
                        row |= {"trial_id": f"{speech}{item}-{condition.key}-{snr}"}
                        row |= {"label": "SPEECH" if speech else "NONSPEECH", "snr_db": snr}
                        row |= {"duration_ms": 200, "snr_speech_db": snr, "snr_active_db": None}
                        row |= {"audio": {"bytes": flac_bytes(clip), "path": None}}
                        rows.append(row)
            files[condition.key] = tmp_path / "trials" / "conditions" / f"{condition.key}.parquet"
            files[condition.key].parent.mkdir(parents=True, exist_ok=True)
            write_cell(files[condition.key], rows)
    return files


def test_each_condition_is_heard_at_its_level_and_no_clip_twice(trials, tmp_path):
    folder = tmp_path / "scores" / "X" / "conditions"
    folder.mkdir(parents=True)
    outputs = {condition.key: folder / f"{condition.key}.parquet" for condition in CONDITIONS}
    one = OneDetector(Hearing("level", Level, {}))
    stores = lambda hearing: Store(tmp_path / hearing.store_name())  # noqa: E731
    asked = score(one, CONDITIONS, trials, outputs, stores, "variants.X")
    assert asked == 12 * len(CONDITIONS)  # two rendered, and the neutral clips at two levels
    assert score(one, CONDITIONS, trials, outputs, stores, "variants.X") == 0
    learned = tmp_path / "calibration" / "X.json"
    learned.parent.mkdir()
    learned.write_text(pd.Series(Calibration(0.5, 0.6, 1.0, 1.0, 0.0).to_dict()).to_json())
    decisions = decided(["X"], CONDITIONS, trials.values(), outputs.values(), [learned])
    mean = decisions.groupby("condition")["p_speech"].mean()
    assert mean["level_-60"] == pytest.approx(0.4, abs=0.001)
    assert mean["level_-20"] == pytest.approx(0.8, abs=0.001)
    assert decisions.groupby("condition").size().tolist() == [12] * 4


def test_a_condition_that_gives_the_class_away_is_found(trials):
    by_key = {condition.key: condition for condition in CONDITIONS}
    beside = ConditionGiveaways({by_key[key]: path for key, path in trials.items()}, 50, 1)
    beside.judge("level", Level())
    table = beside.table().set_index("condition")
    assert table["n"].tolist() == [6, 6]  # at the highest SNR alone
    assert table.loc["room_1", "auc"] == 1
    assert table.loc["neutral", "auc"] < 1
    assert table.loc["room_1", "at"] == "1"
