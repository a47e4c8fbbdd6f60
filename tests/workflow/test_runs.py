"""Variants, their runs by seed, and ensembles: names, checks and scores."""

import json

import numpy as np
import pandas as pd
import pytest

from speechdt.detectors.ensemble import mean, vote
from speechdt.detectors.latency import added
from speechdt.statistics import bootstrap
from speechdt.statistics.calibration import Calibration
from speechdt.workflow.runs import check_ensembles, check_named, ensemble_weights, runs, trainings
from speechdt.workflow.settings import prepared, removal_notes
from speechdt.workflow.variants import NANO, ConfigError, joint_label

ADAPTERS = {
    "small": {"backend": "qwen2_audio", "clips": 128},
    "large": {"backend": "qwen2_audio", "clips": 999, "seeds": [3, 1]},
}
VARIANTS = {
    "B2": {"backend": "qwen2_audio", "adapter": "small"},
    "B3": {"backend": "qwen2_audio", "adapter": "large"},
    "D2": {"backend": "silero"},
    "E": {"ensemble": ["B3", "D2"], "how": "vote"},
}


def test_an_adapter_is_trained_once_for_each_seed():
    assert trainings(ADAPTERS) == {
        "small": {"backend": "qwen2_audio", "clips": 128},
        "large.seed3": {"backend": "qwen2_audio", "clips": 999, "seed": 3},
        "large.seed1": {"backend": "qwen2_audio", "clips": 999, "seed": 1},
    }
    with pytest.raises(ConfigError, match=r"^adapters\.x: name `seed` or `seeds`, not both$"):
        trainings({"x": {"seed": 1, "seeds": [2]}})


def test_a_variant_has_a_run_for_each_training():
    by_variant = runs(VARIANTS, ADAPTERS)
    assert list(by_variant) == ["B2", "B3", "D2"]
    assert by_variant["D2"] == {"D2": {"backend": "silero"}}
    assert {run: entry["adapter"] for run, entry in by_variant["B3"].items()} == {
        "B3.seed3": "large.seed3",
        "B3.seed1": "large.seed1",
    }


def test_members_of_an_ensemble_must_be_there():
    assert check_ensembles(VARIANTS) == {"E": ["B3", "D2"]}
    with pytest.raises(ConfigError, match=r"^variants\.E: no variant 'B33' .*did you mean"):
        check_ensembles(VARIANTS | {"E": {"ensemble": ["B33", "D2"]}})
    with pytest.raises(ConfigError, match="member 'E' is an ensemble itself"):
        check_ensembles(VARIANTS | {"F": {"ensemble": ["E", "D2"]}})


def test_a_stand_in_names_the_whole_ensemble():
    assert joint_label(["", NANO]) == NANO
    assert joint_label(["a/b", "", "a/b"]) == "a/b"
    assert joint_label([]) == ""


def test_the_mean_is_that_of_log_odds():
    """The log-odds of 0.9 and 0.5 are ln 9 and 0; e to their mean is 3, which is odds of 0.75."""
    np.testing.assert_allclose(mean([[0.9, 0.2], [0.5, 0.8]]), [0.75, 0.5])


def test_a_vote_is_the_share_of_decisions():
    def at(threshold):
        return Calibration(threshold, threshold, 1.0, 1.0, 0.0)

    scores = [[0.3, 0.1], [0.3, 0.9], [0.3, 0.9]]
    np.testing.assert_allclose(vote(scores, [at(0.2), at(0.4), at(0.1)]), [2 / 3, 2 / 3])


def test_latencies_add_up_clip_by_clip():
    def timed(clip_ms, throughput):
        return {
            "clip_ms": clip_ms, "load_s": 1.0, "first_ms": 5.0, "clips": 3,
            "throughput_clips_s": throughput, "throughput_batch": 8, "peak_memory_mib": 10.0,
            "peak_gpu_memory_mib": None, "hardware": {}, "versions": {}, "cpu_ms": None,
            "load": {"before": 0.1, "during": 0.2},
        }  # fmt: skip

    both = added([timed([1.0, 2.0, 9.0], 30.0), timed([5.0, 1.0, 1.0], 60.0)])
    assert both["clip_ms"] == [6.0, 3.0, 10.0]
    assert both["latency"]["p50_ms"] == pytest.approx(6.0)
    assert both["throughput_clips_s"] == pytest.approx(20.0)
    assert json.loads(json.dumps(both)) == both


def test_the_spread_of_runs_is_in_the_replicates():
    """With no spread between groups, the variance of the mean over n runs is s² / n."""
    of_runs = np.array([0.70, 0.76, 0.73, 0.81])
    values = np.repeat(of_runs[:, None], 20_001, axis=1)
    replicates = bootstrap.over_runs(values, seed=5)
    assert replicates[0] == pytest.approx(of_runs.mean())
    assert replicates[1:].mean() == pytest.approx(of_runs.mean(), abs=1e-3)
    assert replicates[1:].var() == pytest.approx(of_runs.var(ddof=1) / 4, rel=0.05)
    alone = np.random.default_rng(0).normal(size=(1, 50))
    np.testing.assert_array_equal(bootstrap.over_runs(alone, seed=5), alone[0])


def test_intervals_over_runs_cover():
    """Groups and runs both vary; the truth is 0. Fifty groups, three runs."""
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(300):
        effects = rng.normal(0, 0.5, 3)[:, None] + rng.normal(0, 2.0, 50)
        weights = bootstrap.weights(np.zeros(50), 400, seed=2)
        values = (weights @ effects.T / 50).T
        replicates = bootstrap.over_runs(values, seed=3)
        low, high = bootstrap.interval(replicates[0], replicates[1:], 50)
        covered.append(low <= 0 <= high)
    assert 0.91 <= np.mean(covered) <= 0.985


def test_metrics_of_several_runs_are_means():
    from speechdt.statistics.metrics import evaluate

    rng = np.random.default_rng(0)
    parts = []
    for run in range(2):
        p = rng.uniform(size=200)
        parts.append(
            pd.DataFrame(
                {
                    "run": run,
                    "speech": np.arange(200) % 2 == 0,
                    "decided": p > 0.5,
                    "item_id": np.arange(200).astype(str),
                    "group_id": (np.arange(200) % 20).astype(str),
                    **dict.fromkeys(("p_speech", "p_temperature", "p_platt"), p),
                }
            )
        )
    both = evaluate(pd.concat(parts), replicates=200, seed=1).set_index("metric")
    single = [evaluate(part, replicates=200, seed=1).set_index("metric") for part in parts]
    for metric in ("balanced_accuracy", "auc", "ece", "f1_speech"):
        expected = np.mean([table.loc[metric, "value"] for table in single])
        assert both.loc[metric, "value"] == pytest.approx(expected)


def test_the_seeds_of_a_member_count_as_one():
    weights = ensemble_weights([["B3.seed1", "B3.seed2", "B3.seed3"], ["D2"]])
    assert weights == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])
    odds = np.array([[1.0], [2.0], [3.0], [-4.0]])
    assert mean(1 / (1 + np.exp(-odds)), weights) == pytest.approx(1 / (1 + np.exp(1.0)))


NAMING = {
    "comparisons": {"reference": "D2", "planned": [["B3", "B2"], ["B4", "B3"]]},
    "verdict": {"judged": ["B4", "B3"], "baselines": ["D1", "D2"]},
}


def test_variants_of_the_plan_that_were_removed_are_left_out_with_one_note():
    config = NAMING | {"variants": VARIANTS, "models": {}}
    assert removal_notes(config) == [
        "left out of comparisons and verdict: B4, D1 (no such variant)"
    ]
    settings = prepared(config, {})
    assert settings["variants"] == VARIANTS | {"B4": None, "D1": None}
    check_named(settings)
    assert "B4" not in config["variants"]
    whole = VARIANTS | dict.fromkeys(("B4", "D1"))
    assert not removal_notes(config | {"variants": whole})


def test_a_misspelt_variant_is_still_an_error():
    config = NAMING | {"variants": VARIANTS, "models": {}}
    config["verdict"] = {"judged": ["B33"]}
    with pytest.raises(ConfigError, match=r"verdict.judged: no variant 'B33' \(did you mean 'B3'"):
        check_named(prepared(config, {}))
