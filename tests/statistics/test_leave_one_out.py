"""Corpora left out: which runs there are, what they hear, and the table."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from speechdt.corpus import readers
from speechdt.reporting.tables.statistics_text import left_out_table
from speechdt.statistics.leave_one_out import COLUMNS, compare_all, compared
from speechdt.workflow.left_out_corpora import corpora_left_out, left_out, trained_without
from speechdt.workflow.runs import runs, trainings
from speechdt.workflow.variants import ConfigError

ADAPTERS = {"logmel": {"backend": "logmel"}, "large": {"backend": "q", "seeds": [1, 2]}}
VARIANTS = {
    "A1": {"backend": "q"},
    "A2": {"backend": "q", "prompt": {"search": "base"}},
    "B3": {"backend": "q", "adapter": "large"},
    "D1": {"backend": "webrtc"},
    "L1": {"backend": "logmel", "adapter": "logmel"},
    "E": {"ensemble": ["D1", "L1"]},
}


def learned_from_all(entry):
    return "its prompt" if "search" in str(entry.get("prompt")) else ""


def expanded(asked, corpora=("esc50",), variants=VARIANTS):
    trained = trainings(ADAPTERS)
    there = {name: entry for name, entry in variants.items() if entry}
    return left_out(asked, corpora, variants, runs(there, ADAPTERS), trained, learned_from_all)


def test_a_left_out_model_is_one_more_run_of_its_variant():
    models = expanded(["B3"], ["esc50", "musan"])
    assert [run.name for run in models if run.corpus == "musan"] == [
        *("A1-without-musan", "B3.seed1-without-musan", "B3.seed2-without-musan"),
        "D1-without-musan",
    ]
    # L1 is not asked for, and A2's prompt, like E's member, knows the corpus.
    assert {run.variant for run in models} == {"A1", "B3", "D1"}
    again = {run.name: run.entry for run in models if run.entry}
    assert again["B3.seed2-without-esc50"]["adapter"] == "large.seed2-without-esc50"
    assert trained_without(models, trainings(ADAPTERS)) == {
        f"large.seed{seed}-without-{corpus}": (f"large.seed{seed}", corpus)
        for corpus in ("esc50", "musan")
        for seed in (1, 2)
    }


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("B4", "no variant 'B4'"),
        ("D1", "'D1' names no adapter to train again"),
        ("E", "'E' names no adapter to train again"),
        ("B5", "'B5' was trained on all corpora, by its prompt"),
    ],
)
def test_what_cannot_be_left_out_is_refused(asked, message):
    searched = VARIANTS["B3"] | VARIANTS["A2"]
    with pytest.raises(ConfigError, match=rf"^leave_one_out\.variants: {message}"):
        expanded([asked], variants=VARIANTS | ({"B5": searched} if asked == "B5" else {}))


def test_corpora_are_those_of_the_configuration():
    assert corpora_left_out({"variants": []}, ["a"]) == []
    assert corpora_left_out({"variants": ["L1"]}, ["a", "b", "a"]) == ["a", "b"]
    assert corpora_left_out({"variants": ["L1"], "corpora": ["b"]}, ["a", "b"]) == ["b"]
    with pytest.raises(ConfigError, match="one corpus only"):
        corpora_left_out({"variants": ["L1"]}, ["a", "a"])
    with pytest.raises(ConfigError, match=r"no corpus 'musam' .did you mean 'musan'"):
        corpora_left_out({"variants": ["L1"], "corpora": ["musam"]}, ["esc50", "musan"])
    assert readers.name({"kind": "folder", "path": "data/mine/"}) == "mine"
    assert readers.name({"kind": "folder", "path": "mine", "name": "ours"}) == "ours"
    assert readers.name({"kind": "gtzan", "path": "data/x"}) == "gtzan"


def trials(rng, classes=(True, False), runs=1, hit=0.9, alarm=0.2):
    """Decided trials of 8 groups of 25 in each class."""
    tables = []
    for number in range(runs):
        speech = np.repeat(classes, 200)
        p = np.clip(np.where(speech, hit, alarm) + rng.normal(0, 0.2, len(speech)), 0.01, 0.99)
        decided = rng.random(len(speech)) < np.where(speech, hit, alarm)
        group = [f"{of}{place % 8}" for place, of in enumerate(speech)]
        table = pd.DataFrame({"speech": speech, "decided": decided, "p_speech": p})
        table = table.assign(p_temperature=p, p_platt=p, group_id=group, item_id=group)
        tables.append(table.assign(run=number))
    return pd.concat(tables, ignore_index=True)


def test_figures_are_those_of_scikit_learn():
    rng = np.random.default_rng(3)
    in_domain, unknown = trials(rng), trials(rng, hit=0.7, alarm=0.4)
    table = compared(in_domain, unknown, replicates=400, seed=1).set_index("metric")
    for name, of in (("in_domain", in_domain), ("left_out", unknown)):
        truth = balanced_accuracy_score(of["speech"], of["decided"])
        assert table.loc["balanced_accuracy", name] == pytest.approx(truth)
        assert table.loc["auc", name] == pytest.approx(roc_auc_score(of["speech"], of["p_speech"]))
        missed = 1 - of.loc[of["speech"], "decided"].mean()
        assert table.loc["miss_rate", name] == pytest.approx(missed)
        alarms = of.loc[~of["speech"], "decided"].mean()
        assert table.loc["false_alarm_rate", name] == pytest.approx(alarms)
    apart = table["in_domain"] - table["left_out"]
    assert np.allclose(table["difference"], apart)
    assert (table["difference_low"] < apart).all()
    assert (apart < table["difference_high"]).all()
    assert table.loc["balanced_accuracy", "difference_low"] > 0  # a planted loss of 20 points
    assert table.loc["false_alarm_rate", "difference_high"] < 0
    assert table["n"].tolist() == [400, 400, 200, 200]
    assert table["groups"].tolist() == [16, 16, 8, 8]


def test_a_corpus_of_one_class_has_its_error_rate_alone():
    rng = np.random.default_rng(4)
    for classes, metric in (((True,), "miss_rate"), ((False,), "false_alarm_rate")):
        decided = trials(rng, classes)
        table = compared(decided, decided, replicates=200, seed=1)
        assert table["metric"].tolist() == [metric]
        # the same answers: no difference, whatever groups are drawn
        assert table[["difference", "difference_low", "difference_high"]].to_numpy().any() == 0


def test_the_spread_of_seeds_is_in_the_interval():
    rng = np.random.default_rng(5)
    in_domain = trials(rng, runs=3)
    alike, apart = trials(rng, runs=3, hit=0.8), trials(rng, hit=0.8)
    spread = [apart] + [trials(rng, hit=hit).assign(run=run) for run, hit in ((1, 0.6), (2, 1.0))]
    widths = []
    for unknown in (alike, pd.concat(spread, ignore_index=True)):
        row = (
            compared(in_domain, unknown, replicates=1000, seed=1)
            .set_index("metric")
            .loc["miss_rate"]
        )
        widths.append(row["difference_high"] - row["difference_low"])
    assert widths[1] > 2 * widths[0]


def test_a_corpus_without_test_trials_says_so():
    none = trials(np.random.default_rng(6)).iloc[:0]
    model = {"corpus": "tiny", "variant": "D1", "trained": False}
    table = compared(none, none, replicates=200, seed=1).assign(**model)
    columns = [
        f"{n}{e}" for n in ("in_domain", "left_out", "difference") for e in ("", "_low", "_high")
    ]
    shown = left_out_table(table.reindex(columns=[*table.columns, *columns]))
    assert shown.iloc[0].tolist() == ["tiny", "D1", "threshold", "no test trial", "0 (0)", *"–––"]


def test_every_run_is_compared_on_the_trials_of_its_corpus():
    rng = np.random.default_rng(7)
    corpus_of = {"a": "esc50", "b": "musan"}
    whole = {"L1.seed1": 0.9, "L1.seed2": 0.8, "L1.seed1-without-musan": 0.6}
    whole |= {"L1.seed2-without-musan": 0.5, "D1": 0.7, "D1-without-esc50": 0.4}
    decided = {
        run: pd.concat([trials(rng, hit=hit).assign(source_id=source) for source in corpus_of])
        for run, hit in whole.items()
    }
    keys = ("name", "in_domain", "variant", "corpus", "trained")
    pairs = [
        *[(f"L1.seed{n}-without-musan", f"L1.seed{n}", "L1", "musan", True) for n in (1, 2)],
        ("D1-without-esc50", "D1", "D1", "esc50", False),
    ]
    left_out = [dict(zip(keys, pair, strict=True)) for pair in pairs]
    table = compare_all(decided, left_out, corpus_of, replicates=100, seed=1)
    assert list(table) == COLUMNS
    assert table.groupby("variant")["corpus"].unique().map(list).to_dict() == {
        "D1": ["esc50"], "L1": ["musan"],
    }  # fmt: skip
    of_musan = [
        pd.concat(
            [
                decided[run][decided[run]["source_id"] == "b"].assign(run=place)
                for place, run in enumerate(runs)
            ]
        )
        for runs in (
            ["L1.seed1", "L1.seed2"],
            ["L1.seed1-without-musan", "L1.seed2-without-musan"],
        )
    ]
    expected = compared(*of_musan, replicates=100, seed=1)
    learned = table[table["variant"] == "L1"].reset_index(drop=True)
    pd.testing.assert_frame_equal(learned[list(expected)], expected)
