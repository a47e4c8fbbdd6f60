"""Bases: the runs that one job asks, since they share a checkpoint."""

import pytest
from support import qwen_models as small
from support.experiments import resolved

from speechdt.workflow.bases import bases

MODELS = {"qwen2_audio": {"model": "model", "device": "cpu"}}


@pytest.fixture
def experiment(root, tmp_path, monkeypatch):
    (tmp_path / "corpus").symlink_to(root / "corpus")
    monkeypatch.chdir(tmp_path)
    small.save("qwen2_audio", tmp_path / "model")

    def of(**changes):
        return resolved(root, {"models": MODELS} | changes)

    return of


def test_seeds_adapters_and_prompts_are_on_one_base(experiment):
    study = experiment(adapters={"small": {"seeds": [1, 2]}, "large": {}})
    on = bases(study, together=True)
    base = on["A1"]
    assert base.shared
    # Those with one adapter are side by side.
    assert base.runs == ("A1", "A2", "B3", "B4", "B2.seed1", "B2.seed2")
    assert base.searches == ("base", "large")
    assert base.prompts == ("base", "large")
    assert base.gpus == 1
    assert base.made == tuple(
        f"results/adapters/{name}" for name in ("large", "small.seed1", "small.seed2")
    )
    assert {run for base in on.values() for run in base.runs} == set(study.scored)
    assert on["C1"].shared  # a nano model
    # What has no base stays by itself.
    assert [on[name].shared for name in ("D1", "D2", "L1")] == [False] * 3


def test_other_checkpoints_and_other_bits_have_bases_of_their_own(experiment):
    study = experiment(
        variants={
            "A3": {"backend": "qwen2_audio", "prompt": "baseline", "revision": "other"},
            "A4": {"backend": "qwen2_audio", "prompt": "baseline", "option_order": "both"},
        }
    )
    on = bases(study, together=True)
    assert on["A3"].runs == ("A3",)
    assert on["A3"].shared
    assert "A4" in on["A1"].runs
    assert on["A3"].searches == ()


def test_none_are_shared_where_the_configuration_says_so(experiment):
    study = experiment()
    on = bases(study, together=False)
    assert list(on) == study.scored
    assert not any(base.shared for base in on.values())
    assert on["B4"].runs == ("B4",)


def test_nano_models_are_shared_as_checkpoints_are(root):
    on = bases(resolved(root, {}), together=True)
    assert on["A1"].shared
    assert set(on["A1"].runs) == {"A1", "A2", "B2", "B3", "B4"}
    assert on["C1"].runs == ("C1",)
    assert on["C1"].shared
