"""Error analysis: counts by hand, intervals those of the metrics, kappa that of scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from support.made_answers import GROUPS, VARIANTS, made_decided, made_sources

from speechdt.reporting.tables.reading import read_table
from speechdt.statistics import error_rates
from speechdt.statistics.metrics import evaluate

BOOTSTRAP = {"replicates": 400, "seed": 3}


@pytest.fixture(scope="module")
def decided():
    return made_decided()


@pytest.fixture(scope="module")
def answers(decided):
    # Clean trials and another order of rows change nothing.
    shuffled = {v: table.sample(frac=1, random_state=1) for v, table in decided.items()}
    shuffled["D1"] = pd.concat([shuffled["D1"], shuffled["D1"].head(3).assign(snr_db=np.nan)])
    return error_rates.answers(shuffled, made_sources())


def at(table, **wanted):
    for name, value in wanted.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_every_decision_is_that_of_its_trial(answers, decided):
    for variant, table in decided.items():
        own = table.set_index("trial_id").loc[answers.trials["trial_id"]]
        wrong = (own["decided"] != own["speech"]).to_numpy()
        np.testing.assert_array_equal(answers.wrong[variant], wrong)
        p_wrong = np.where(own["speech"], 1 - own["p_platt"], own["p_platt"])
        np.testing.assert_allclose(answers.doubt[variant], p_wrong)


def test_rates_and_intervals_are_those_of_the_metrics(answers, decided):
    rates = error_rates.error_rates(answers, **BOOTSTRAP)
    one_class = decided["D2"][decided["D2"]["speech"]]
    metric = at(evaluate(one_class, **BOOTSTRAP), metric="speech_accuracy")
    missed = at(rates, variant="D2", error="missed", by="all")
    assert missed["rate"] == pytest.approx(1 - metric["value"])
    assert missed["low"] == pytest.approx(1 - metric["high"])
    assert missed["high"] == pytest.approx(1 - metric["low"])
    assert missed["errors"] == round(missed["rate"] * missed["n"])


def test_every_breakdown_adds_up(answers):
    rates = error_rates.error_rates(answers, **BOOTSTRAP)
    for (variant, error), part in rates.groupby(["variant", "error"]):
        whole = at(part, by="all")
        for by, levels in part.groupby("by"):
            if by == "language":
                assert error == "missed"
            assert levels["errors"].sum() == whole["errors"], (variant, error, by)
            assert levels["n"].sum() == whole["n"]
    bounded = rates.dropna(subset=["low"])
    assert ((bounded["low"] >= 0) & (bounded["high"] <= 1)).all()
    assert ((bounded["low"] <= bounded["rate"]) & (bounded["rate"] <= bounded["high"])).all()


def test_a_speaker_s_interval_is_over_recordings_and_one_unit_has_none(answers):
    rates = error_rates.error_rates(answers, **BOOTSTRAP)
    speakers = rates[(rates["by"] == "group_id") & (rates["error"] == "missed")]
    assert len(speakers) == GROUPS * len(VARIANTS)
    assert set(speakers["unit"]) == {"recording"}
    assert set(speakers["units"]) == {2}
    alone = answers.trials["group_id"] == "speech-0"
    one = error_rates.Answers(*(part[alone].reset_index(drop=True) for part in answers))
    whole = error_rates.error_rates(one, **BOOTSTRAP).query("by == 'all'")
    assert whole["low"].isna().all()


def test_common_errors_are_counted(answers):
    common = error_rates.common_errors(answers, **BOOTSTRAP)
    speech = (answers.trials["label"] == "SPEECH").to_numpy()
    wrong = answers.wrong[speech].to_numpy()
    for k in range(len(VARIANTS) + 1):
        row = at(common, error="missed", measure=f"wrong_by_{k}")
        assert row["value"] == pytest.approx((wrong.sum(axis=1) == k).mean())
    own = answers.wrong.loc[speech, "D1"].to_numpy()
    alone = at(common, error="missed", variant="D1", measure="alone")
    shared = at(common, error="missed", variant="D1", measure="common")
    assert alone["n"] == own.sum()
    assert alone["value"] == pytest.approx((wrong[own].sum(axis=1) == 1).mean())
    assert shared["value"] == pytest.approx(wrong[own].all(axis=1).mean())
    assert shared["low"] <= shared["value"] <= shared["high"]


def test_consistency_is_the_kappa_of_scikit_learn(answers):
    pairs = error_rates.error_pairs(answers, **BOOTSTRAP)
    assert len(pairs) == 2 * 3
    for _, pair in pairs.iterrows():
        label = {"missed": "SPEECH", "false alarm": "NONSPEECH"}[pair["error"]]
        of = answers.wrong[(answers.trials["label"] == label).to_numpy()]
        assert pair["kappa"] == pytest.approx(cohen_kappa_score(of[pair["one"]], of[pair["other"]]))
        assert pair["low"] < pair["kappa"] < pair["high"]
        assert pair["kappa"] > 0  # a part of the difficulty is shared


def test_kappa_of_detectors_that_never_err_is_undefined():
    zeros = np.zeros(2)
    assert np.isnan(error_rates.kappa(zeros, zeros, zeros)).all()


def test_independent_errors_have_no_consistency():
    kappas = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        first, second = rng.random((2, 2000)) < [[0.3], [0.2]]
        rates = [np.array([x.mean()]) for x in (first, second, first & second)]
        kappas.append(error_rates.kappa(*rates)[0])
    assert abs(np.mean(kappas)) < 4 * np.std(kappas) / np.sqrt(40)


def test_a_biased_detector_makes_no_recording_confusable(answers):
    wrong = answers.wrong.assign(A1=answers.trials["label"] == "SPEECH")  # never says SPEECH
    with_bias = error_rates.error_sources(answers._replace(wrong=wrong))
    without = error_rates.error_sources(answers._replace(wrong=wrong.assign(A1=False)))
    assert with_bias["source_id"].tolist() == without["source_id"].tolist()


def test_tables_come_back_as_they_were_written(answers, tmp_path):
    sources = error_rates.error_sources(answers)
    assert sources["rank"].tolist() == list(range(1, len(sources) + 1))
    assert sources["excess"].is_monotonic_decreasing
    assert np.average(sources["excess"], weights=sources["trials"]) == pytest.approx(0, abs=1e-9)
    sources["source_id"] = [f"{place:03d}" for place in range(len(sources))]
    sources.to_csv(tmp_path / "table.csv", index=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / "table.csv", error_rates.TEXT), sources)


def test_thresholds_that_are_chosen_again_leave_the_rate_and_widen_its_interval():
    answers = error_rates.answers(made_decided(), made_sources())
    spread = np.r_[0.5, np.random.default_rng(1).uniform(0.2, 0.8, 200)]
    fixed, same, again = (
        error_rates.error_rates(answers, thresholds, replicates=200, seed=1)
        for thresholds in (
            None,
            dict.fromkeys(answers.wrong, np.full(201, 0.5)),
            dict.fromkeys(answers.wrong, spread),
        )
    )
    pd.testing.assert_frame_equal(fixed, same)
    assert again["rate"].tolist() == pytest.approx(fixed["rate"].tolist())
    overall = fixed["by"] == "all"
    width, wider = ((of["high"] - of["low"])[overall] for of in (fixed, again))
    assert (wider > 1.2 * width).all()
