"""What a configuration is refused for before any job starts, wherever a detector is named."""

from pathlib import Path

import pytest
import yaml

from speechdt import checks, find_detectors
from speechdt.command_line import retype, typed
from speechdt.configuration import (
    ConfigError,
    check_adapter,
    check_schema,
    check_variant,
    model_label,
)
from speechdt.matrix import check_named
from speechdt.options import has_options
from speechdt.search_configuration import check_search

NANO = "results/models/nano"
PROMPTS = {"baseline": "Speech?\n\nA) yes\nB) no", "open": "Is there speech? Answer A or B."}
RESOLVE = {"models": {"qwen2_audio": "nano"}, "prompts": PROMPTS, "nano_folder": NANO}
NOWHERE = {"backend": "qwen2_audio", "model": "/nowhere"}


def variant(**entry):
    return check_variant("X", entry, find_detectors()[entry["backend"]], **RESOLVE)


def test_a_nano_model_is_not_looked_for():
    options = variant(backend="qwen2_audio", prompt="baseline")
    assert options["model"] == f"{NANO}/qwen2_audio"
    assert model_label(options, NANO) == "nano"


def test_a_folder_beside_the_nano_models_is_none_of_them():
    with pytest.raises(ConfigError, match="no folder on this machine"):
        variant(backend="qwen2_audio", prompt="baseline", model=f"{NANO}2")
    assert model_label({"model": f"{NANO}2"}, NANO) == f"{NANO}2"


def test_a_checkpoint_that_is_not_there_is_named_wherever_it_stands():
    missing = "model '/nowhere' is no folder"
    with pytest.raises(ConfigError, match=f"variants.X: .*{missing}"):
        variant(**NOWHERE, prompt="baseline")
    with pytest.raises(ConfigError, match=f"adapters.x: {missing}"):
        check_adapter("x", NOWHERE, **RESOLVE, seed=1)
    with pytest.raises(ConfigError, match=f"searches.x: {missing}"):
        check_search("x", {"on": NOWHERE}, {}, **RESOLVE)
    check = NOWHERE | {"prompt": "baseline", "nonspeech_above": 0.1, "speech_below": 0.5}
    hygiene = {"checks": {"x": check}, "flag_by": "x", "remove": False}
    with pytest.raises(ConfigError, match=f"hygiene.checks.x: .*{missing}"):
        checks.read_checks(hygiene, **RESOLVE)


def test_both_orders_of_a_prompt_without_options():
    assert has_options(PROMPTS["baseline"])
    assert not has_options(PROMPTS["open"])
    variant(backend="qwen2_audio", prompt="open")
    with pytest.raises(ConfigError, match="needs one line 'A"):
        variant(backend="qwen2_audio", prompt="open", option_order="both")
    # one that is searched for will have them
    asked = {"backend": "qwen2_audio", "prompt": {"search": "s"}, "option_order": "both"}
    cls = find_detectors()["qwen2_audio"]
    assert check_variant("X", asked, cls, **RESOLVE, searches=["s"])["prompt"] == {"search": "s"}


@pytest.mark.parametrize("section", ["variants", "prompts", "adapters", "searches", "models"])
def test_a_key_that_is_no_text(root, section):
    config = yaml.safe_load(Path(root / "workflow_config.yaml").read_text())
    config[section] = {1: next(iter(config[section].values()))}
    with pytest.raises(ConfigError, match=f"{section}: key 1 is no text; write it in quotes"):
        check_schema(config, root / "rules" / "config.schema.yaml")


def test_a_hygiene_check_claims_no_gpus_of_its_own():
    check = {"backend": "webrtc", "gpus": 1, "nonspeech_above": 0.1, "speech_below": 0.5}
    with pytest.raises(ConfigError, match=r"hygiene\.checks\.x: unknown key 'gpus'"):
        checks.read_checks({"checks": {"x": check}, "flag_by": "x", "remove": False}, **RESOLVE)


def test_what_the_command_line_says_has_the_types_of_yaml():
    given = {"grid": {"snr_db": ["-5", "2.5"]}, "remove": "true", "variants": {"A1": "null"}}
    config = {"grid": {"clean_ms": 1000} | given["grid"], "remove": "true"}
    config |= {"variants": given["variants"] | {"D2": {"backend": "silero"}}}
    retype(config, given)
    assert config == {
        "grid": {"clean_ms": 1000, "snr_db": [-5, 2.5]},
        "remove": True,
        "variants": {"A1": None, "D2": {"backend": "silero"}},
    }
    assert typed(["Answer: A or B", "1e", "- a", "{"]) == ["Answer: A or B", "1e", "- a", "{"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"comparisons": {"reference": "D22"}}, "comparisons.reference: no variant 'D22'.*'D2'"),
        ({"comparisons": {"planned": [["A1", "Z"]]}}, "comparisons.planned: no variant 'Z'"),
        ({"verdict": {"judged": ["Z"]}}, "verdict.judged: no variant 'Z'"),
        ({"verdict": {"baselines": ["Z"]}}, "verdict.baselines: no variant 'Z'"),
        ({"models": {"qwen2_adio": "nano"}}, "models: no backend 'qwen2_adio'.*qwen2_audio"),
    ],
)
def test_a_name_that_was_never_given(change, message):
    config = {"variants": {"A1": None, "D2": {"backend": "silero"}}, "models": {}}
    named = {"comparisons": {"reference": "D2", "planned": [["A1", "D2"]]}}
    check_named(config | named)
    with pytest.raises(ConfigError, match=message):
        check_named(config | named | change)
