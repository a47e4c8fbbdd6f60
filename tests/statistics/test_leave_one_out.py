"""What is learned without a corpus: which runs there are, what they hear, and the table."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from support.checkouts import ASKED, copy_checkout, run

from speechdt.corpus import readers
from speechdt.reporting.tables.reading import read_table
from speechdt.reporting.tables.statistics_text import left_out_table
from speechdt.statistics.leave_one_out import COLUMNS, compare_all, compared
from speechdt.trials.cells import read_cell
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


def heard(entry):
    return "its prompt" if "search" in str(entry.get("prompt")) else ""


def expanded(asked, corpora=("esc50",), variants=VARIANTS):
    trained = trainings(ADAPTERS)
    there = {name: entry for name, entry in variants.items() if entry}
    return left_out(asked, corpora, variants, runs(there, ADAPTERS), trained, heard)


def test_a_left_out_model_is_one_more_run_of_its_variant():
    found = expanded(["B3"], ["esc50", "musan"])
    assert [run.name for run in found if run.corpus == "musan"] == [
        *("A1-without-musan", "B3.seed1-without-musan", "B3.seed2-without-musan"),
        "D1-without-musan",
    ]
    # L1 is not asked for, and A2's prompt, like E's member, knows the corpus.
    assert {run.variant for run in found} == {"A1", "B3", "D1"}
    again = {run.name: run.entry for run in found if run.entry}
    assert again["B3.seed2-without-esc50"]["adapter"] == "large.seed2-without-esc50"
    assert trained_without(found, trainings(ADAPTERS)) == {
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
        ("B5", "'B5' knows all corpora by its prompt"),
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
    known, unknown = trials(rng), trials(rng, hit=0.7, alarm=0.4)
    table = compared(known, unknown, replicates=400, seed=1).set_index("metric")
    for name, of in (("in_domain", known), ("left_out", unknown)):
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
        known = trials(rng, classes)
        table = compared(known, known, replicates=200, seed=1)
        assert table["metric"].tolist() == [metric]
        # the same answers: no difference, whatever groups are drawn
        assert table[["difference", "difference_low", "difference_high"]].to_numpy().any() == 0


def test_the_spread_of_seeds_is_in_the_interval():
    rng = np.random.default_rng(5)
    known = trials(rng, runs=3)
    alike, apart = trials(rng, runs=3, hit=0.8), trials(rng, hit=0.8)
    spread = [apart] + [trials(rng, hit=hit).assign(run=run) for run, hit in ((1, 0.6), (2, 1.0))]
    widths = []
    for unknown in (alike, pd.concat(spread, ignore_index=True)):
        row = compared(known, unknown, replicates=1000, seed=1).set_index("metric").loc["miss_rate"]
        widths.append(row["difference_high"] - row["difference_low"])
    assert widths[1] > 2 * widths[0]


def test_a_corpus_without_test_trials_says_so():
    none = trials(np.random.default_rng(6)).iloc[:0]
    told = {"corpus": "tiny", "variant": "D1", "trained": False}
    table = compared(none, none, replicates=200, seed=1).assign(**told)
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


# ------------------------------------------------------------------------------------- the workflow


@pytest.fixture(scope="module")
def finished(root, tmp_path_factory):
    """A copy of the checkout in which L1 was trained without each of three corpora.

    `home` and `away` hold half of the families of each category but environment, which `yard` has
    for itself.
    """
    folder = copy_checkout(root, tmp_path_factory.mktemp("left_out"))
    table = pd.read_csv(root / "corpus" / "manifest.csv", dtype=str)
    table["path"] = [str(root / "corpus" / path) for path in table["path"]]
    half = table.groupby("category")["group_id"].transform(lambda of: pd.factorize(of)[0] % 2)
    corpus = np.where(table["category"] == "environment", "yard", np.where(half, "away", "home"))
    for name, members in table.groupby(corpus):
        (folder / name).mkdir()
        members.to_csv(folder / name / "manifest.csv", index=False)
    config = yaml.safe_load((folder / "configs" / "ci.yaml").read_text())
    config["corpus"] = [{"kind": "folder", "path": name} for name in ("home", "away", "yard")]
    config["trials"]["train_clips"] = 160
    config["adapters"] = dict.fromkeys(("small_unmasked", "small", "large"))
    config["searches"] = dict.fromkeys(config["searches"])
    config["variants"] = {name: None for name in ASKED if name != "L1"}
    config["leave_one_out"] = {"variants": ["L1"]}
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    run(folder, "results/report.html", "results/tables/leave_one_out.md", config="mine.yaml")
    return folder / "results"


def corpora_heard(results, cells):
    """Return the corpora of all that is heard in cells."""
    sources = pd.read_parquet(results / "corpus" / "sources.parquet").set_index("source_id")
    read = pd.concat([read_cell(cell) for cell in results.glob(cells)])
    assert len(read)
    names = {*read["source_id"], *read["background_id"]} & set(sources.index)
    return set(sources.loc[list(names), "corpus"]), read


@pytest.mark.parametrize("corpus", ["home", "away", "yard"])
def test_nothing_of_the_corpus_is_learned_from(finished, corpus):
    others = {"home", "away", "yard"} - {corpus}
    train, clips = corpora_heard(finished, f"trials/train-without-{corpus}/snr*.parquet")
    dev, left = corpora_heard(finished, f"trials/dev-without-{corpus}/snr*.parquet")
    whole, all_dev = corpora_heard(finished, "trials/dev/snr*.parquet")
    assert train <= others
    assert (dev, whole) == (others, others | {corpus})
    assert len(clips) == 160
    # what is left of dev is dev's, byte for byte
    same = left.merge(all_dev, on="trial_id", validate="1:1")
    assert len(same) == len(left) < len(all_dev)
    assert (same["audio_x"] == same["audio_y"]).all()
    learned = json.loads((finished / "calibration" / f"L1-without-{corpus}.json").read_text())
    assert learned["clips"] == len(left)
    assert not (finished / "scores" / f"D1-without-{corpus}").exists()


def test_the_table_has_each_corpus_by_what_it_can_show(finished):
    table = read_table(finished / "tables" / "leave_one_out.csv")
    assert set(table["variant"]) == {"D1", "D2", "L1"}
    assert table.groupby("variant")["trained"].first().to_dict() == {
        "D1": False, "D2": False, "L1": True,
    }  # fmt: skip
    shown = table.groupby("corpus")["metric"].unique().map(list).to_dict()
    assert shown["yard"] == ["false_alarm_rate"]
    assert shown["home"] == ["balanced_accuracy", "auc", "miss_rate", "false_alarm_rate"]
    # a threshold does not change an AUC
    unchanged = table[(table["metric"] == "auc") & ~table["trained"]]
    assert (unchanged["difference"] == 0).all()
    # other weights do
    learned = table[(table["metric"] == "auc") & table["trained"]]
    assert (learned["difference"] != 0).all()


def test_it_is_in_the_report(finished):
    page = (finished / "report.html").read_text()
    assert '<section id="leave-one-out"' in page
    assert (finished / "tables" / "leave_one_out.md").read_text().startswith("| Corpus")
