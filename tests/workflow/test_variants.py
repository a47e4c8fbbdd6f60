"""Refusals of a configuration before any job starts, wherever a detector is named."""

import math
from pathlib import Path

import pandas as pd
import pytest
import yaml

from speechdt import find_detectors
from speechdt.corpus import readers
from speechdt.corpus.selection import ExclusionError, read_marks
from speechdt.detectors.signature import check_options
from speechdt.errors import SpeechdtError
from speechdt.prompts.answer_options import has_options
from speechdt.prompts.bank_entries import check_entries
from speechdt.reporting.tables.training import SETTINGS
from speechdt.workflow import hygiene_checks
from speechdt.workflow.runs import adapted, check_ensembles, check_named, runs
from speechdt.workflow.schema import check_schema
from speechdt.workflow.searches import check_search, check_unused, is_used
from speechdt.workflow.settings import retyped, typed
from speechdt.workflow.variants import ConfigError, check_adapter, check_variant, model_label

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
        hygiene_checks.read_checks(hygiene, **RESOLVE)


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
        hygiene_checks.read_checks(
            {"checks": {"x": check}, "flag_by": "x", "remove": False}, **RESOLVE
        )


def test_what_the_command_line_says_has_the_types_of_yaml():
    given = {"grid": {"snr_db": ["-5", "2.5"]}, "remove": "true", "variants": {"A1": "null"}}
    config = {"grid": {"clean_ms": 1000} | given["grid"], "remove": "true"}
    config |= {"variants": given["variants"] | {"D2": {"backend": "silero"}}}
    assert retyped(config, given) == {
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


@pytest.mark.parametrize(
    ("section", "change", "message"),
    [
        ("variants", {"D9": "silero"}, r"variants\.D9: 'silero' must be a mapping"),
        ("variants", {"E1": {"ensembl": ["D1", "D2"]}}, "E1: .*'ensembl' .did you mean 'ensemble'"),
        ("variants", {"E1": {"ensemble": ["D1", "D2"], "hw": "vote"}}, "did you mean 'how'"),
        ("variants", {"E1": {"ensemble": ["D1", "D2"], "x": 1}}, "E1: unknown key 'x'; keys: ens"),
        ("variants", {"D9": {"gpus": 1}}, r"variants\.D9: 'backend' is a required property"),
        ("variants", {"D9": {"backend": 3}}, r"variants\.D9\.backend: 3 must be text"),
        ("models", {"x": None}, r"models\.x: null must be text or a mapping"),
        ("models", {"x": {"modl": "y"}}, "did you mean 'model'"),
        ("searches", {"x": {"on": {"gpus": 1}}}, r"searches\.x\.on: 'backend' is a required"),
        ("grid", {"snr_db": [math.nan, 5]}, r"grid\.snr_db\.0: nan is no finite number"),
        ("grid", {"snr_db": [5, math.inf]}, r"grid\.snr_db\.1: inf is greater"),
        ("grid", {"snr_db": [1000]}, r"grid\.snr_db\.0: 1000 is greater than the maximum of 100"),
        ("grid", {"duration_ms": [10**7]}, r"grid\.duration_ms\.0: 10000000 is greater"),
        ("adapters", {"x": {"backend": "y", "learning_rate": math.nan}}, "x.learning_rate: nan is"),
        ("adapters", {"x": {"backend": "y", "seeds": [-1]}}, r"adapters\.x\.seeds\.0: -1 is less"),
        ("verdict", {"criteria": 3}, r"verdict\.criteria: 3 must be text or a mapping"),
        ("verdict", {"critera": "x"}, r"verdict: unknown key 'critera' .did you mean 'criteria'"),
        ("seed", -1, "seed: -1 is less than the minimum of 0"),
        ("seed", 2**32, "seed: 4294967296 is greater than the maximum"),
    ],
)
def test_what_the_schema_refuses_is_said_by_its_key(root, section, change, message):
    config = yaml.safe_load(Path(root / "workflow_config.yaml").read_text())
    config[section] = config[section] | change if isinstance(change, dict) else change
    with pytest.raises(ConfigError, match=message) as caught:
        check_schema(config, root / "rules" / "config.schema.yaml")
    assert "given schemas" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"spec_augment": {"frequency_msk": 3}}, "spec_augment: unknown key 'frequency_msk'; keys"),
        ({"spec_augment": {"frequency_mask": 0.5}}, "frequency_mask is 0.5, and must be a whole"),
        ({"spec_augment": {"time_mask": 2}}, r"spec_augment\.time_mask is 2, and .* from 0 to 1"),
        ({"spec_augment": {"probability": "often"}}, "probability is 'often', and .* a number"),
        ({"spec_augment": 3}, "spec_augment is 3, and must be a mapping"),
        ({"epochs": -1}, "epochs is -1, and must be above 0"),
        ({"epochs": math.inf}, "epochs is inf"),
        ({"learning_rate": -1}, "learning_rate is -1, and must be above 0"),
        ({"learning_rate": "fast"}, "option 'learning_rate' cannot be 'fast'"),
        ({"clips": 1}, "clips is 1, and must be at least 2"),
        ({"dev_clips": 0}, "dev_clips is 0, and must be at least 1"),
        ({"steps": 0}, "steps is 0"),
        ({"warmup_steps": -1}, "warmup_steps is -1, and must be at least 0"),
        ({"patience": 0}, "patience is 0"),
        ({"dropout": 1}, "dropout is 1, and must be at least 0 and below 1"),
        ({"batch_size": 0}, "batch_size is 0, and must be at least 1"),
        ({"batch_size": 3, "gpus": 2}, "batch_size is 3, and 2 processes"),
        ({"targets": 3}, "targets is 3, and must be names"),
        ({"targets": "("}, "targets is no regular expression"),
        ({"prompt": 3}, "prompt 3 is no name of a prompt"),
        ({"prompt": [["baseline"]]}, r"prompt \['baseline'\] is no name"),
        ({"prompt": []}, "prompt: name at least one"),
    ],
)
def test_a_setting_of_an_adapter_that_cannot_be(settings, message):
    with pytest.raises(ConfigError, match=rf"^adapters\.x: .*{message}"):
        check_adapter("x", {"backend": "qwen2_audio"} | settings, **RESOLVE, seed=1)


def test_an_adapter_that_wants_more_clips_than_there_are():
    cls, settings = check_adapter("x", {"backend": "qwen2_audio", "clips": 20}, **RESOLVE, seed=1)
    of = {"B": {"B": {"backend": "qwen2_audio", "adapter": "x"}}}
    assert adapted(of, {"x": (cls, settings)}, 20, SETTINGS)["B"]["clips"] == 20
    with pytest.raises(ConfigError, match=r"adapters\.x: clips is 20, and trials\.train_clips 19"):
        adapted(of, {"x": (cls, settings)}, 19, SETTINGS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": ["baseline"]}, r"prompt \['baseline'\] is no name of a prompt"),
        ({"prompt": "baseline", "adapter": 3}, "adapter 3 is neither the name"),
        ({"prompt": "baseline", "adapter": ["small"]}, r"adapter \['small'\] is neither"),
        ({"prompt": "baseline", "batch_size": 0}, "batch_size is 0, and must be at least 1"),
    ],
)
def test_an_option_of_a_variant_that_cannot_be(options, message):
    entry = {"backend": "qwen2_audio"} | options
    cls = find_detectors()["qwen2_audio"]
    with pytest.raises(ConfigError, match=rf"^variants\.X: .*{message}"):
        check_variant("X", entry, cls, **RESOLVE, adapters={}, adapters_folder="")


def test_an_adapter_that_is_no_name_is_refused_before_its_seeds_are_looked_up():
    with pytest.raises(ConfigError, match=r"variants\.X: adapter \['small'\] is no name"):
        runs({"X": {"backend": "qwen2_audio", "adapter": ["small"]}}, {})


def test_an_ensemble_of_itself():
    with pytest.raises(ConfigError, match=r"variants\.E: an ensemble cannot be its own member"):
        check_ensembles({"E": {"ensemble": ["E", "D"]}, "D": {"backend": "webrtc"}})


@pytest.mark.parametrize("error", [RuntimeError("no licence\nat all"), SystemExit("no licence")])
def test_a_check_of_a_plugin_that_fails(error):
    class Mine:
        gpus = 0

        @classmethod
        def check(cls):
            raise error

        def score(self, clips):
            return [0.5] * len(clips)

    message = (
        rf"variants\.X: backend 'mine': its check\(\) fails: {type(error).__name__}: no licence$"
    )
    with pytest.raises(ConfigError, match=message):
        check_variant("X", {"backend": "mine"}, Mine, **RESOLVE)


def test_a_choice_is_told_with_its_values():
    webrtc = find_detectors()["webrtc"]
    with pytest.raises(ValueError, match=r"'mode' cannot be 7; it is one of 0, 1, 2, 3, null"):
        check_options(webrtc, {"mode": 7})
    with pytest.raises(ValueError, match=r"'mode' cannot be True"):
        check_options(webrtc, {"mode": True})
    with pytest.raises(ValueError, match=r"'batch_size' cannot be 'x'; it is int or null"):
        check_options(find_detectors()["qwen2_audio"], {"model": "m", "batch_size": "x"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\xff", "cannot be read as CSV"),
        (b"", "lacks the column source_id"),
        (b"path,reason\na,b\n", "lacks the column source_id; .* is 'path,reason'"),
        (b"source_id;reason\na;b\n", "lacks the column source_id; .* is 'source_id;reason'"),
    ],
)
def test_a_file_of_marks_that_is_none(tmp_path, content, message):
    file = tmp_path / "marks.csv"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=f"^exclude: .*marks.csv {message}"):
        hygiene_checks.check_marks([str(file)])
    with pytest.raises(ExclusionError, match=r"^exclude: .*marks\.csv"):
        read_marks([file], pd.Series(["a"]))


def test_a_file_of_marks_that_holds_none_yet(tmp_path):
    (tmp_path / "marks.csv").write_text("source_id\n")
    assert hygiene_checks.check_marks([str(tmp_path / "marks.csv")])


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (None, "own has neither manifest.csv nor speech/ or nonspeech/; expected manifest.csv in"),
        ("path,label\na.wav,SPEECH\n", "manifest.csv lacks the column category, group_id; its"),
        (
            "path;label;category;group_id\n",
            "commas between them, is 'path;label;category;group_id'",
        ),
        ("path,label,category,group_id\n", "manifest.csv lists no recording"),
    ],
)
def test_a_folder_that_is_no_corpus(tmp_path, manifest, message):
    own = tmp_path / "own"
    own.mkdir()
    (own / "notes.md").write_text("speech")
    if manifest is not None:
        (own / "manifest.csv").write_text(manifest)
    (problem,) = readers.check([{"kind": "folder", "path": str(own)}])
    assert message in problem


def test_a_file_in_no_category_is_told_where_it_was_expected(tmp_path):
    for name in ("Speech/a.wav", "nonspeech/b.wav", "c.wav", "nonspeech/Music/d.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    sources = {
        source.source_id: (source.category, source.reason)
        for source in readers.read({"kind": "folder", "path": str(tmp_path)})
    }
    where = "expected in speech/… or nonspeech/<category>/… (categories: music, animals, noise, "
    assert sources["Speech/a.wav"] == ("speech", "")
    assert sources["nonspeech/Music/d.wav"] == ("music", "")
    assert sources["nonspeech/b.wav"][1].startswith(where)
    assert sources["c.wav"][1].startswith(where)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": 100}, "start is 100, and there are 2 prompts"),
        ({"proposer": {"kind": "local", "model": "/nowhere"}}, "model '/nowhere' is no folder"),
        ({"proposer": {"kind": "local", "model": 3}}, "proposer: option 'model' cannot be 3"),
        ({"proposer": {"kind": "self", "temperature": "hot"}}, "'temperature' cannot be 'hot'"),
        ({"proposer": {"kind": "self", "temperature": -1}}, "temperature is -1, and must be at"),
        ({"proposer": {"kind": "self", "most_tokens": 0}}, "most_tokens is 0, and must be at"),
    ],
)
def test_a_setting_of_a_search_that_cannot_be(settings, message):
    with pytest.raises(ConfigError, match=rf"^searches\.x: .*{message}"):
        check_search("x", {"on": {"backend": "qwen2_audio"}} | settings, {}, **RESOLVE)


@pytest.mark.parametrize(
    ("on", "variants", "used"),
    [
        ("A1", {"A1": {"backend": "qwen2_audio"}}, True),
        ("A1", {"D2": {"backend": "silero"}}, False),
        ({"backend": "qwen3_omni"}, {"C1": {"backend": "qwen3_omni"}}, True),
        ({"backend": "qwen3_omni"}, {"A1": {"backend": "qwen2_audio"}}, False),
        ({"backend": "qwen3_omni"}, {}, False),
        # Its winner is wanted, be it for another backend.
        ({"backend": "qwen3_omni"}, {"A2": {"backend": "q", "prompt": {"search": "x"}}}, True),
    ],
)
def test_a_search_belongs_to_the_matrix_if_a_variant_uses_it(on, variants, used):
    assert is_used("x", {"on": on}, variants) is used


def test_searches_that_no_variant_uses_are_one_line_and_no_error():
    entries = {
        "base": {"on": "A1"},
        "far": {"on": NOWHERE},
        "omni": {"on": {"backend": "qwen3_omni"}},
    }
    models = {"models": {"qwen3_omni": "nano"}}
    searches, note = check_unused(entries, {"D2": {"backend": "silero"}}, **RESOLVE | models)
    assert list(searches) == ["omni"]
    assert searches["omni"].options["model"] == f"{NANO}/qwen3_omni"
    assert note.startswith("searches left out, since no variant uses them: base (on A1), far (on ")
    assert "model '/nowhere' is no folder" in note
    assert note.endswith(", omni (on qwen3_omni)")
    assert "\n" not in note
    assert check_unused({}, {}, **RESOLVE) == ({}, "")


def test_an_entry_may_say_which_option_is_speech():
    prompts = PROMPTS | {"free": {"text": "Free of speech?\nA) yes\nB) no", "speech_is": "B"}}
    resolve = RESOLVE | {"prompts": prompts}
    cls = find_detectors()["qwen2_audio"]
    options = check_variant("X", {"backend": "qwen2_audio", "prompt": "free"}, cls, **resolve)
    assert (options["prompt"], options["speech_is"]) == (prompts["free"]["text"], "B")
    with pytest.raises(ConfigError, match=r"adapters.x: prompt 'free' has SPEECH as option B"):
        check_adapter("x", {"backend": "qwen2_audio", "prompt": "free"}, **resolve, seed=1)
    on = {"on": {"backend": "qwen2_audio", "prompt": "free"}}
    with pytest.raises(ConfigError, match=r"searches.x: on: its prompt has SPEECH as option B"):
        check_search("x", on, {}, **resolve)


def test_a_prompt_with_a_third_option_is_named():
    with pytest.raises(SpeechdtError, match=r"prompts.three: .* here is C"):
        check_entries({"good": PROMPTS["baseline"], "three": "A) yes\nB) no\nC) unclear"})
