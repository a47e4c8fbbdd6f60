"""Operating points: scikit-learn on the trials and on resampled ones, ties, and intervals."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from speechdt.statistics import bootstrap
from speechdt.statistics.operating_points import FALSE_ALARMS, cost, operating_points, roc_table
from speechdt.statistics.roc import Roc


def made(seed=1, count=2400, groups=30, steps=None):
    """Return trials of a detector, its scores in so many steps, so that many are tied."""
    rng = np.random.default_rng(seed)
    speech = np.arange(count) % 2 == 0
    p = 1 / (1 + np.exp(-(rng.normal(0, 1.0, count) + np.where(speech, 0.9, -0.9))))
    return pd.DataFrame(
        {
            "speech": speech,
            "p_speech": p if steps is None else np.round(p * steps) / steps,
            "group_id": [f"{kind}{i % groups}" for i, kind in enumerate(speech)],
            "duration_ms": np.where(np.arange(count) // 2 % 2 == 0, 300, 1000),
            "background": np.where(np.arange(count) // 4 % 2 == 0, "white", "pink"),
        }
    )


def figures(table, by="all", level=""):
    return table[(table["by"] == by) & (table["level"] == level)].set_index("metric")


@pytest.mark.parametrize("steps", [None, 12, 1])
def test_every_figure_is_scikit_learn_s(steps):
    trials = made(steps=steps)
    table = operating_points(trials, [0.4], 0.5, replicates=20, seed=1)
    values = figures(table)["value"]
    speech, p = trials["speech"], trials["p_speech"]
    alarm, hit, _ = roc_curve(speech, p, drop_intermediate=False)
    assert values["auc"] == pytest.approx(roc_auc_score(speech, p), abs=1e-12)
    assert values["pauc10"] == pytest.approx(roc_auc_score(speech, p, max_fpr=0.1), abs=1e-12)
    assert values["dcf_min"] == pytest.approx((0.75 * (1 - hit) + 0.25 * alarm).min())
    for name, rate in FALSE_ALARMS.items():
        assert values[name] == pytest.approx(np.interp(rate, alarm, hit), abs=1e-9)
    for prefix, threshold in (("", 0.4), ("vendor_", 0.5)):
        assert values[f"{prefix}hit"] == pytest.approx((p[speech] >= threshold).mean())
        assert values[f"{prefix}false_alarm"] == pytest.approx((p[~speech] >= threshold).mean())
        expected = cost(values[f"{prefix}hit"], values[f"{prefix}false_alarm"])
        assert values[f"{prefix}dcf"] == pytest.approx(expected)
    long = trials[trials["duration_ms"] == 1000]
    at_long = figures(table, "duration_ms", "1000")["value"]
    assert at_long["auc"] == pytest.approx(roc_auc_score(long["speech"], long["p_speech"]))


def test_weights_count_as_if_the_trials_were_there_so_many_times():
    trials = made(count=400, groups=8, steps=20)
    roc = Roc(trials)
    codes, of_speech, _ = bootstrap.groups_by_class(trials["speech"], trials["group_id"])
    times = np.random.default_rng(3).integers(0, 4, len(of_speech))
    again = trials.loc[trials.index.repeat(times[codes])]
    (curve,) = roc.curves(times[None].astype(float))
    expected = roc_auc_score(again["speech"], again["p_speech"])
    partial = roc_auc_score(again["speech"], again["p_speech"], max_fpr=0.1)
    assert curve.area()[0] == pytest.approx(expected, abs=1e-12)
    assert curve.area_below(0.1)[0] == pytest.approx(partial, abs=1e-12)
    hit, alarm = curve.rates_at(0.45)
    called = again["p_speech"] >= 0.45
    assert hit[0] == pytest.approx(called[again["speech"]].mean())
    assert alarm[0] == pytest.approx(called[~again["speech"]].mean())


def test_rates_do_not_depend_on_how_scores_are_spread():
    trials = made()
    bent = trials.assign(p_speech=trials["p_speech"] ** 7)
    of_ranks = ["auc", "pauc10", "dcf_min", *FALSE_ALARMS]
    tables = [
        figures(operating_points(one, [0.5], replicates=50, seed=1)).loc[of_ranks]
        for one in (trials, bent)
    ]
    pd.testing.assert_frame_equal(*tables, rtol=0, atol=1e-9)


def test_a_threshold_of_each_replicate_widens_the_interval():
    trials = made()
    moved = np.random.default_rng(1).normal(0.5, 0.1, 301).clip(0.1, 0.9)
    moved[0] = 0.5
    fixed, free = (
        figures(operating_points(trials, [at], replicates=300, seed=1)) for at in (0.5, moved)
    )
    width = [one.loc["hit", "high"] - one.loc["hit", "low"] for one in (fixed, free)]
    assert width[1] > 1.5 * width[0]
    assert fixed.loc["hit", "value"] == free.loc["hit", "value"]


def test_runs_are_averaged():
    trials = pd.concat([made(1).assign(run=0), made(2).assign(run=1)], ignore_index=True)
    both = figures(operating_points(trials, [0.5, 0.5], replicates=20, seed=1))["value"]
    single = [
        figures(operating_points(made(seed), [0.5], replicates=20, seed=1))["value"]
        for seed in (1, 2)
    ]
    pd.testing.assert_series_equal(both, (single[0] + single[1]) / 2)


def test_few_trials_have_no_rate_of_few_false_alarms():
    rates = figures(operating_points(made(count=240), [0.5], replicates=50, seed=1))
    assert rates.loc[["hit_far1", "hit_far5"], "value"].isna().all()  # 1.2 and 6 of 120
    assert rates.loc["hit_far10", "low"] < rates.loc["hit_far10", "value"]


def test_the_curve_is_the_points_joined():
    trials = made()
    table = roc_table(trials, replicates=50, seed=1)
    alarm, hit, _ = roc_curve(trials["speech"], trials["p_speech"], drop_intermediate=False)
    assert table["hit"].to_numpy() == pytest.approx(np.interp(table["false_alarm"], alarm, hit))
    assert (table["low"] <= table["hit"]).all()
    assert (table["hit"] <= table["high"]).all()
    assert table["false_alarm"].min() == pytest.approx(1e-3, rel=0.2)  # of 1,200 NONSPEECH trials


def test_one_class_has_no_curve():
    with pytest.raises(ValueError, match="both classes"):
        Roc(made()[lambda trials: trials["speech"]])
