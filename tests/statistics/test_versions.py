"""Two versions of a detector: stock correlations, paired intervals, a kept threshold."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import roc_auc_score

from speechdt.statistics.calibration import logit
from speechdt.statistics.metrics import auc_interval
from speechdt.statistics.versions import COLUMNS, compare_versions


def made(seed=1, count=1200, groups=24):
    rng = np.random.default_rng(seed)
    speech = np.arange(count) % 2 == 0
    evidence = rng.normal(0, 1, count) + np.where(speech, 1, -1)
    trials = pd.DataFrame(
        {
            "trial_id": [f"t{i:04}" for i in range(count)],
            "speech": speech,
            "group_id": [f"{kind}{i % groups}" for i, kind in enumerate(speech)],
        }
    )
    old = trials.assign(p_speech=expit(evidence))
    new = trials.assign(p_speech=expit(evidence + rng.normal(0, 0.7, count) + 0.8))
    return new, old


def compared(new, old, thresholds=(0.6, 0.5), **settings):
    settings = {"replicates": 1000, "permutations": 1000, "seed": 1} | settings
    table = compare_versions(
        {"N": new.sample(frac=1, random_state=1), "O": old},
        [["N", "O"]],
        dict(zip("NO", thresholds, strict=True)),
        **settings,
    )
    assert list(table) == list(COLUMNS)
    return table.iloc[0]


def test_every_figure_is_a_stock_library_s():
    new, old = made()
    row = compared(new, old)
    areas = [roc_auc_score(one["speech"], one["p_speech"]) for one in (new, old)]
    assert [row["auc"], row["auc_reference"]] == pytest.approx(areas)
    assert row["auc_difference"] == pytest.approx(areas[0] - areas[1])
    scores = new["p_speech"], old["p_speech"]
    assert row["spearman"] == pytest.approx(spearmanr(*scores).statistic)
    assert row["pearson_logit"] == pytest.approx(pearsonr(*map(logit, scores)).statistic)
    assert row["threshold_shift"] == pytest.approx(0.1)
    assert np.isnan(row["threshold_shift_low"])
    speech = new["speech"]
    for name, threshold in (("hit", 0.6), ("hit_kept", 0.5)):
        assert row[name] == pytest.approx((new.loc[speech, "p_speech"] >= threshold).mean())
    assert row["false_alarm_kept"] > row["false_alarm"]


def test_what_is_paired_is_surer_than_what_is_not():
    row = compared(*made())
    new, _ = made()
    alone = auc_interval(new, replicates=1000, seed=1)
    assert row["auc"] == pytest.approx(alone[0])
    assert row["auc_difference_high"] - row["auc_difference_low"] < alone[2] - alone[1]
    assert row["auc_difference_high"] < 0  # noise was added to the old scores
    assert row["p"] == row["p_holm"] < 0.01
    assert row["verdict"] == "loss"
    assert row["spearman_low"] < row["spearman"] < row["spearman_high"]


def test_a_version_is_like_itself():
    _, old = made()
    row = compared(old, old, thresholds=(0.5, 0.5))
    assert row[["auc_difference", "auc_difference_low", "auc_difference_high"]].tolist() == [0] * 3
    assert row["spearman"] == pytest.approx(1)
    assert (row["p"], row["verdict"]) == (1, "not shown")


def test_thresholds_of_dev_s_replicates_give_the_shift_its_interval():
    rng = np.random.default_rng(2)
    moved = [np.append(at, rng.normal(at, 0.02, 1000)) for at in (0.6, 0.5)]
    row = compared(*made(), thresholds=moved)
    assert row["threshold_shift_low"] < 0.1 < row["threshold_shift_high"]


def test_other_trials_are_refused():
    new, old = made()
    with pytest.raises(ValueError, match="N and O were scored on different trials"):
        compared(new, old.iloc[1:])
