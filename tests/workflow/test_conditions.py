"""Conditions of the configuration: what is played, who hears it, and what is refused by name."""

from pathlib import Path

import pytest
import yaml

from speechdt.errors import SpeechdtError
from speechdt.reporting.tables.training import SETTINGS
from speechdt.workflow.conditions import plan
from speechdt.workflow.published import beside
from speechdt.workflow.resolution import resolve
from speechdt.workflow.settings import in_order


@pytest.fixture
def settings(root, monkeypatch):
    monkeypatch.chdir(root)
    config = yaml.safe_load(Path("workflow_config.yaml").read_text())
    config["hygiene"] = {"checks": {}, "flag_by": None, "remove": False}
    config["conditions"]["axes"] |= {"duration": [], "noise": []}
    return config


def resolved(settings):
    return resolve(in_order(settings), "results", SETTINGS)


def bank(settings):
    """Merge the published bank over the default, as Snakemake would."""
    own = yaml.safe_load(Path("configs/published_bank.yaml").read_text())
    settings["conditions"] |= own["conditions"]
    settings["variants"] |= own["variants"]
    return settings


def test_by_default_the_ready_made_hear_one_factor_at_a_time(settings):
    planned = plan(resolved(settings))
    assert list(planned.variants) == ["D1", "D2", "D3", "D4"]
    assert planned.rooms == ["0.3", "1", "2.5"]
    assert len(planned.conditions) == 1 + 4 + 3 + 6 + 2
    assert {condition.snr_db for condition in planned.conditions} == {(-20, -10, 0, 10, 20)}
    assert len(planned.rendered) == len(planned.keys) - 2  # levels play the neutral clips


def test_without_a_ladder_all_levels_of_the_grid_are_played(settings):
    settings["conditions"]["snr_db"] = None
    (neutral, *_) = plan(resolved(settings)).conditions
    assert neutral.snr_db == (-20, -15, -10, -5, 0, 5, 10, 15, 20)


def test_conditions_keep_to_what_the_grid_can_play(settings):
    settings["trials"]["backgrounds"] = ["white"]
    settings["grid"] |= {"duration_ms": [200], "clean_ms": 300}
    planned = plan(resolved(settings))
    assert {condition.duration_ms for condition in planned.conditions} == {300}
    assert "background_recording" not in planned.keys


def test_nobody_hears_nothing(settings):
    settings["conditions"]["variants"] = []
    assert plan(resolved(settings)).conditions == ()


def test_the_published_bank_has_its_22_conditions(settings):
    planned = plan(resolved(bank(settings)))
    by_axis = {}
    for condition in planned.conditions[1:]:
        by_axis.setdefault(condition.axis, []).append(condition.name)
    assert by_axis == {
        "duration": ["20", "40", "60", "80", "100", "200", "500", "1000"],
        "noise": ["-10", "-5", "0", "5", "10", "20"],
        "room": ["none", "0.3", "1", "2.5"],
        "channel": ["none", "band_300_3400", "lowpass_3400", "highpass_300"],
    }
    assert list(planned.variants) == ["A1", "D1", "D2", "D3"]
    assert planned.clean


def test_20_ms_alone_are_refused_by_name_and_asked_in_a_container(settings):
    bank(settings)["variants"]["D2"] = {"backend": "silero"}
    with pytest.raises(SpeechdtError, match=r"variants.D2: .* 32 ms or more, and conditions have"):
        plan(resolved(settings))
    settings["variants"]["D2"] = {"backend": "silero", "container": {"noise_ms": 2000}}
    plan(resolved(settings))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"variants": ["D9"]}, "conditions.variants: no variant D9"),
        ({"variants": ["E1"]}, "E1 is an ensemble"),
        ({"axes": {"noise": [0]}}, "conditions.axes.noise: takes a neutral clip without noise"),
        ({"background": "none"}, "conditions.axes.background: the neutral clip has no background"),
        ({"axes": {"room": [1, 1.0]}}, "room 1 stands there twice"),
    ],
)
def test_mistakes_are_one_line(settings, change, says):
    settings["variants"]["E1"] = {"ensemble": ["D1", "D2"], "how": "mean"}
    axes = settings["conditions"]["axes"] | change.pop("axes", {})
    settings["conditions"] |= change | {"axes": axes}
    with pytest.raises(SpeechdtError, match=says) as error:
        plan(resolved(settings))
    assert "\n" not in str(error.value)


def test_a_folder_without_responses_is_named(settings, tmp_path):
    settings["rooms"]["path"] = str(tmp_path / "none")
    with pytest.raises(SpeechdtError, match=r"rooms.path: no folder"):
        plan(resolved(settings))
    (tmp_path / "none").mkdir()
    with pytest.raises(SpeechdtError, match=r"rooms.path: no impulse response in"):
        plan(resolved(settings))
    (tmp_path / "none" / "hall.wav").touch()
    assert plan(resolved(settings)).responses == (str(tmp_path / "none" / "hall.wav"),)


def test_published_figures_stand_beside_the_same_system_alone(settings, root):
    bank(settings)["variants"]["S5"] = {"backend": "silero", "version": 5}
    path = root / "rules" / "published.yaml"
    published = beside(resolved(settings), path)
    assert list(published) == ["S5"]  # neither Silero 6 nor a nano model of Qwen2-Audio
    assert published["S5"]["balanced_accuracy"] == 88.9
