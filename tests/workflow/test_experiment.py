"""The configuration resolved into records, without Snakemake."""

import dataclasses
from pathlib import Path

import pytest
import yaml

from speechdt.reporting.figures.catalogue import FIGURES
from speechdt.reporting.tables.training import SETTINGS
from speechdt.workflow.checkout import Checkout
from speechdt.workflow.products import Products
from speechdt.workflow.resolution import CorpusProblems, resolve
from speechdt.workflow.settings import in_order, prepared
from speechdt.workflow.variants import ConfigError

TWO_CORPORA = [
    {"kind": "folder", "path": "corpus", "name": "one"},
    {"kind": "folder", "path": "corpus", "name": "two"},
]


@pytest.fixture
def settings(root, monkeypatch):
    monkeypatch.chdir(root)
    config = yaml.safe_load(Path("workflow_config.yaml").read_text())
    config["hygiene"]["checks"] = {}
    config["hygiene"]["flag_by"] = None
    # As the schema fills them in.
    config["conditions"]["axes"]["noise"] = []
    config["conditions"]["published"] = False
    return config


def resolved(settings, **changes):
    return resolve(in_order(settings | changes), "results", SETTINGS)


def test_every_row_of_the_default_has_a_run_of_its_own(settings):
    experiment = resolved(settings)
    assert list(experiment.variants) == sorted(settings["variants"])
    assert experiment.matrix_runs == experiment.scored == list(experiment.variants)
    a2, d2 = experiment.runs["A2"], experiment.runs["D2"]
    assert (a2.search, a2.label, a2.gpus) == ("base", "nano", 0)
    assert a2.made == ("results/models/nano/qwen2_audio",)
    assert a2.both_orders
    assert (d2.backend, d2.label, d2.made, d2.search) == ("silero", "", (), None)
    assert not d2.both_orders
    assert experiment.runs["B4"].made[-1] == "results/adapters/large"
    assert experiment.trained == ["large", "logmel", "small", "small_unmasked"]
    assert experiment.searches["large"].made == experiment.runs["B3"].made


def test_a_variant_with_seeds_has_a_run_for_each(settings):
    settings["adapters"]["large"]["seeds"] = [3, 1]
    settings["variants"]["E"] = {"ensemble": ["B3", "D2"], "how": "vote"}
    experiment = resolved(settings)
    assert experiment.runs_of["B3"] == ["B3.seed3", "B3.seed1"]
    assert experiment.first_runs["B3"] == "B3.seed3"
    assert experiment.runs["B3.seed1"].adapter == "large.seed1"
    ensemble = experiment.variants["E"]
    assert ensemble.member_runs == ("B3.seed3", "B3.seed1", "D2")
    assert ensemble.weights == pytest.approx((0.25, 0.25, 0.5))
    assert (ensemble.runs, ensemble.how, ensemble.label) == (("E",), "vote", "nano")
    assert "E" not in experiment.runs
    assert (experiment.dev_of("E"), experiment.scores_of("E")) == ("dev", "E")


def test_what_leaves_a_corpus_out_has_runs_of_its_own(settings):
    rows = {name: None for name in settings["variants"] if name not in ("D2", "L1")}
    experiment = resolved(
        settings,
        corpus=TWO_CORPORA,
        leave_one_out={"variants": ["L1"]},
        variants=settings["variants"] | rows,
        comparisons=settings["comparisons"],
    )
    trained, untrained = experiment.runs["L1-without-one"], experiment.runs["D2-without-one"]
    assert (trained.scores, trained.dev, trained.left_out) == (
        trained.name,
        "dev-without-one",
        "one",
    )
    assert trained.made == ("results/adapters/logmel-without-one",)
    assert (untrained.scores, untrained.dev) == ("D2", "dev-without-one")
    assert untrained.name not in experiment.scored
    training = experiment.trainings["logmel-without-one"]
    assert (training.train, training.dev) == ("train-without-one", "dev-without-one")
    assert experiment.judged_left_out["D2-without-two"] == "D2"
    assert experiment.train_sets == {
        "train": None,
        "train-without-one": "one",
        "train-without-two": "two",
    }
    assert experiment.matrix_runs == ["D2", "L1"]


def test_records_are_frozen_and_the_configuration_stays(settings):
    before = yaml.safe_dump(settings)
    experiment = resolved(settings)
    with pytest.raises(dataclasses.FrozenInstanceError):
        experiment.runs["D2"].gpus = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        experiment.variants = {}
    assert yaml.safe_dump(settings) == before


def test_merged_files_in_another_order_give_the_same_records(settings):
    turned = {key: settings[key] for key in reversed(settings)}
    turned["variants"] = dict(reversed(settings["variants"].items()))
    one, two = resolved(settings), resolved(turned)
    assert list(one.runs) == list(two.runs)
    assert [run.options for run in one.runs.values()] == [run.options for run in two.runs.values()]
    assert str(one.settings) == str(two.settings)


def test_a_bare_on_of_a_search_is_a_key():
    config = {"searches": {"x": {"on": "A1", True: "B3", "steps": 1}}, "seed": 1}
    assert prepared(config, {})["searches"] == {"x": {"on": "B3", "steps": 1}}
    assert config["searches"]["x"][True] == "B3"  # a copy was changed


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"variants": {"X": {"backend": "silerro"}}}, ConfigError, "did you mean 'silero'"),
        ({"corpus": [{"kind": "folder", "path": "nowhere"}]}, CorpusProblems, "nowhere"),
        ({"exclude": ["missing.csv"]}, ConfigError, "exclude: there is no file missing.csv"),
        ({"variants": {}}, ConfigError, "variants: none is left"),
    ],
)
def test_mistakes_are_one_line(settings, changes, error, message):
    with pytest.raises(error, match=message):
        resolved(settings, **changes)


def test_without_what_is_trained_there_are_fewer_products(settings):
    drawn_from = {name: figure.tables for name, figure in FIGURES.items()}
    rows = {name: None for name in settings["variants"] if name not in ("D1", "D2")}
    few = Products(resolved(settings, variants=settings["variants"] | rows), drawn_from, ["svg"])
    every = Products(resolved(settings), drawn_from, ["svg"])
    assert not few.adapter_tables
    assert not few.giveaway_tables
    assert not few.cards
    # The settings of these tests name no hygiene check.
    assert set(FIGURES) - set(every.drawn) == {"hygiene"}
    assert set(every.drawn) - set(few.drawn) == {"adapters", "training", "prompts"}
    assert "<results>/figures/heatmap.svg" in few.figures
    assert not [path for path in few.described if "/train/" in path]
    assert set(few.tables) < set(every.tables)
    assert "<results>/cards/large.md" in every.cards


def test_templates_are_found_by_pattern_and_missing_ones_are_named(root):
    checkout = Checkout(root)
    partials = checkout.templates("report.html.j2", "report/*")
    assert len(partials) > 10
    assert all((Path.cwd() / path).is_file() for path in partials)
    with pytest.raises(FileNotFoundError, match=r"no template nothing.j2 in "):
        checkout.templates("page.css", "nothing.j2")
